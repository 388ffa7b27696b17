/**
 * The closed list of reasons for which a request or an event is refused. A request's reason comes in the header
 * `x-livetag` and, for `POST /e`, in a JSON body; an event's reason in the answer to `POST /e?debug`.
 */
export const REASONS = {
  'body-too-large': { status: 413, means: 'the body has more than 65,536 bytes' },
  'too-many-events': { status: 413, means: 'the body has more than 500 events' },
  'json-invalid': { status: 400, means: 'the body is not JSON' },
  'envelope-invalid': {
    status: 400,
    means: 'the body is not an envelope, or a field of the envelope has the wrong type',
  },
  'site-unknown': { status: 404, means: 'no site has this key: make it with `livetag site add`' },
  'consent-missing': {
    status: 403,
    means: 'the site’s mode asks for a consent that the request does not carry, or the event for one to be identified',
  },
  'macro-unexpanded': {
    status: 400,
    means:
      'an ad server has not filled in the macro of id, consent, gdpr, gdpr_consent, gpp or gpp_sid: nothing is known of a consent',
  },
  'event-invalid': { status: 400, means: 'a field of the event is missing or has the wrong type' },
  'name-invalid': { status: 400, means: 'the name is empty, longer than 120 characters or has control characters' },
  'id-invalid': { status: 400, means: 'the id is not a text of 1 to 128 printable characters' },
  'time-invalid': { status: 400, means: 'the time is not a number of milliseconds before sending' },
  'too-late': { status: 400, means: 'the event is more than 7 days old' },
  'properties-invalid': { status: 400, means: 'the properties are not an object' },
  'property-key-invalid': {
    status: 400,
    means:
      "a property's key is empty, longer than 100 characters, begins with $, has a dot or a control character, or is __proto__ or _bsontype",
  },
  'properties-too-many': { status: 400, means: 'there are more than 100 properties' },
  'properties-too-deep': { status: 400, means: 'properties nest more than 5 levels deep' },
  'text-too-long': { status: 400, means: "a property's text is longer than 4,096 characters" },
  'text-invalid': { status: 400, means: 'a text has a NUL character or half of a surrogate pair' },
  'revenue-invalid': {
    status: 400,
    means:
      'the property revenue is not {amount, currency}: a number or a decimal text, in major units, and a code of ISO 4217',
  },
  duplicate: {
    status: 204,
    means: 'an event with this id was counted before; found later, so it is in no answer, only in the counts',
  },
  overloaded: { status: 503, means: 'too much is waiting, or the database is away: try again after `Retry-After`' },
  'token-invalid': { status: 404, means: 'none of the deployment’s keys has signed the token, or not for this path' },
  'token-expired': { status: 410, means: 'the token of a mail is older than 13 months' },
  withdrawn: { status: 403, means: 'who got the mail does not want to be measured' },
  'range-continued': { status: 200, means: 'a later part of an image: its first part is what counts' },
  'method-not-allowed': { status: 405, means: 'this path takes another method' },
} as const satisfies Record<string, { status: number; means: string }>

export type Reason = keyof typeof REASONS

/** What was refused and where; `detail` never repeats a value that the visitor sent, only its place. */
export interface Refusal {
  reason: Reason
  detail?: string
}
