/**
 * `GET /api/v2/consents?site=&from=&to=&visitor=&limit=&cursor=`: proofs of consent, oldest first. As JSON, in parts: `next` is
 * the `cursor` of the part that follows, or null. With `Accept: application/x-ndjson` as one line a record, all of them.
 */
import type { RequestHandler } from 'express'
import type { Db } from 'mongodb'
import { siteAsked } from './caller.ts'
import { NDJSON, sendLines } from './ndjson.ts'
import { problem } from './problem.ts'
import { type ConsentAnswer, type ConsentQuery, fromCursor, readConsents, toCursor } from './query/index.ts'
import { readTime, type Sites } from './sites/index.ts'

/** Records in one answer. */
const LIMIT = { usual: 100, most: 1_000 } as const
const KNOWN = ['site', 'from', 'to', 'visitor', 'limit', 'cursor']

export function serveConsents(db: Db, sites: Pick<Sites, 'get'>): RequestHandler {
  return async (request, response) => {
    const site = siteAsked(request, response, sites, 'records')
    if (!site) return
    const query: Record<string, string> = {}
    for (const [name, value] of Object.entries(request.query)) {
      // A misspelt filter would give out more than was asked for.
      if (!KNOWN.includes(name)) return problem(response, 'parameter-invalid', `takes ${KNOWN.join(', ')}`)
      if (typeof value !== 'string') return problem(response, 'parameter-invalid', `${name}: once`)
      query[name] = value
    }
    const asked = readQuery(site.key, site.timezone, query)
    if (typeof asked === 'string') return problem(response, 'parameter-invalid', asked)
    response.vary('accept')
    if (request.accepts(['json', NDJSON]) === NDJSON) return await sendLines(response, readConsents(db, asked))
    const { limit = LIMIT.usual } = asked
    const consents: ConsentAnswer[] = []
    // One more than is given out shows whether there are more.
    for await (const record of readConsents(db, { ...asked, limit: limit + 1 })) consents.push(record)
    const more = consents.length > limit
    if (more) consents.pop()
    const last = consents.at(-1)
    response.json({ site: site.key, consents, next: more && last ? toCursor(last) : null })
  }
}

/** The question, or what is wrong with it. */
function readQuery(site: string, zone: string, { from, to, visitor, limit, cursor }: Record<string, string>) {
  const asked: ConsentQuery = { site, visitor }
  for (const [name, text] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (text === undefined) continue
    asked[name] = readTime(text, zone)
    if (asked[name] === undefined)
      return `${name}: a date (2026-03-29), or an instant of ISO 8601 (2026-03-29T10:00:00Z)`
  }
  if (limit !== undefined) {
    asked.limit = Number(limit)
    if (!/^\d{1,4}$/.test(limit) || asked.limit < 1 || asked.limit > LIMIT.most) return `limit: 1 to ${LIMIT.most}`
  }
  if (cursor !== undefined) {
    asked.after = fromCursor(cursor)
    if (!asked.after) return 'cursor: `next` of the answer before'
  }
  return asked
}
