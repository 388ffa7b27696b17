import type { Response } from 'express'

/** Codes of the API's errors, with their status and what to do. The codes are stable. */
export const PROBLEMS = {
  'not-signed-in': {
    status: 401,
    title: 'Send the owner key or an API key as `Authorization: Bearer <key>`, or sign in at /login.',
  },
  'share-password': { status: 401, title: 'This shared link asks for a password: get a ticket for it first.' },
  'not-allowed': {
    status: 403,
    title: 'Who asks may not do that: ask an owner for another role, or take another key.',
  },
  'cross-site': {
    status: 403,
    title: 'A page of another site may not do that in your name: do it on a page of this one.',
  },
  'password-wrong': { status: 403, title: 'The password is not right.' },
  'share-password-wrong': { status: 403, title: 'The password of this shared link is another one.' },
  'too-many-attempts': { status: 429, title: 'That was tried too often: wait, then try again.' },
  'passwords-busy': { status: 503, title: 'Many are signing in at this moment: try again in some seconds.' },
  'not-found': { status: 404, title: 'There is nothing at this path.' },
  'site-unknown': { status: 404, title: 'No site has this key: `npx livetag site list` shows them.' },
  'site-invalid': { status: 400, title: 'Something in the site is not as it should be.' },
  'site-exists': { status: 409, title: 'A site has this key already.' },
  'key-invalid': { status: 400, title: 'Something in what is asked of the key is not as it should be.' },
  'key-unknown': { status: 404, title: 'The site has no API key that begins like this.' },
  'too-many-keys': { status: 409, title: 'The site has as many API keys as it can: remove one first.' },
  'email-invalid': { status: 400, title: 'This is no e-mail address.' },
  'role-invalid': { status: 400, title: 'There is no such role.' },
  'password-invalid': { status: 400, title: 'This can not be a password.' },
  'account-exists': { status: 409, title: 'This e-mail address has an account already.' },
  'person-exists': { status: 409, title: 'The site has this person already: change the role.' },
  'person-unknown': { status: 404, title: 'The site does not know this person.' },
  'too-many-people': { status: 409, title: 'The site has as many people as it can: remove somebody first.' },
  'invite-used': { status: 410, title: 'This link works no longer: ask for a new one.' },
  'share-invalid': { status: 400, title: 'Something in the shared link is not as it should be.' },
  'share-unknown': { status: 404, title: 'This shared link does not exist, or no more.' },
  'too-many-shares': { status: 409, title: 'The site has as many shared links as it can: remove one first.' },
  'too-many-viewers': { status: 429, title: 'Too many watch by this shared link: try again later.' },
  'parameter-invalid': { status: 400, title: 'A parameter is missing or has a value that is not allowed.' },
  'cursor-expired': {
    status: 410,
    title:
      'What comes after this cursor is no longer kept: read `GET /api/v2/events` anew, and go on from the `x-livetag-stream-cursor` that it is answered with.',
  },
  'query-invalid': { status: 400, title: 'Something in the query is not as it should be.' },
  'query-unsupported': { status: 400, title: 'Plausible answers this, livetag does not: ask something else.' },
  'query-too-large': { status: 400, title: 'The query asks for too much at once.' },
  'query-timeout': { status: 503, title: 'The query took more than half a minute.' },
  'too-many-queries': { status: 429, title: 'Wait until the queries before are answered.' },
  'too-many-a-minute': { status: 429, title: 'Wait until the next minute, and ask less often.' },
  'goal-invalid': { status: 400, title: 'Something in the goal is not as it should be.' },
  'goal-exists': { status: 409, title: 'A goal of the site has this name already.' },
  'goal-unknown': { status: 404, title: 'No goal of the site has this name: `npx livetag goal list` shows them.' },
  'too-many-goals': { status: 409, title: 'The site has as many goals as it can: remove one first.' },
  'property-invalid': { status: 400, title: 'No property of an event has this name.' },
  'property-exists': { status: 409, title: 'The site has declared this property already.' },
  'property-unknown': {
    status: 404,
    title: 'The site has not declared this property: `npx livetag property list` shows what it has.',
  },
  'too-many-properties': {
    status: 409,
    title: 'The site has declared as many properties as it can: remove one first.',
  },
  'mailing-invalid': { status: 400, title: 'Something in the mailing is not as it should be.' },
  'mailing-unknown': { status: 404, title: 'The site has no mailing of this id: `npx livetag email list` shows them.' },
  'too-many-mailings': { status: 409, title: 'The deployment has as many mailings as it can hold.' },
  'body-invalid': { status: 400, title: 'The body is not what this path takes.' },
  'body-too-large': { status: 413, title: 'The body has more than 1 MB.' },
  unavailable: { status: 503, title: 'The database is away or something failed: try again in a moment.' },
} as const

/**
 * Answers with a problem as RFC 9457 has it.
 * @param retryAfter of 429 and 503, s
 */
export function problem(response: Response, code: keyof typeof PROBLEMS, detail?: string, retryAfter = 2): void {
  const { status } = PROBLEMS[code]
  if (status === 401) response.set('www-authenticate', 'Bearer realm="livetag"')
  if (status === 503 || status === 429) response.set('retry-after', String(retryAfter))
  response
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify(problemOf(code, detail)))
}

/** The same as a line after others. */
export function problemOf(code: keyof typeof PROBLEMS, detail?: string): object {
  const { status, title } = PROBLEMS[code]
  return { type: 'about:blank', title, status, code, ...(detail && { detail }) }
}
