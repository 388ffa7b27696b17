/** The vocabulary of questions for what is given out as it is: single events, or whole sessions, of a range, by filters. */
import type { Document } from 'mongodb'
import { uncarried } from '../sites/index.ts'
import { visitText } from './expressions.ts'
import { donesOf, type Filter, leafExpression, leavesOf, toMatch } from './filter.ts'
import { goalsOfEvent } from './goal-expressions.ts'
import { isVisitDimension, type VisitDimension } from './names.ts'
import type { Fault } from './query.ts'
import { type Range, rangeText } from './range.ts'
import { type Circumstances, isFault, readQuery } from './read-query.ts'
import { eventLeaf } from './scan-events.ts'

export interface RecordsAsked {
  /** as in a question; not checked yet */
  date_range: unknown
  filters?: unknown
}

export interface Records {
  range: Range
  /** first and last second of the range: asked again, they give the same one */
  dates: [string, string]
  /** all of them hold */
  match: Document[]
}

/** Filters of events ask of events, those of sessions of visits: a row is looked at by itself, and joined with nothing. */
export async function readRecords(
  kind: 'events' | 'sessions',
  asked: RecordsAsked,
  circumstances: Circumstances,
): Promise<Records | Fault> {
  const body = { ...asked, site_id: circumstances.site.key, metrics: [kind === 'events' ? 'events' : 'visits'] }
  const query = await readQuery(body, circumstances)
  if (isFault(query)) return query
  const wrong = query.filters.map(filter => wrongFor(kind, filter)).find(Boolean)
  if (wrong) return { code: 'query-unsupported', detail: `filters: ${wrong}` }
  const leaf =
    kind === 'events'
      ? eventLeaf(false, goalsOfEvent(uncarried(query.site.goals, query.range.from)))
      : (of: Parameters<typeof leafExpression>[0]): Document => ({
          $expr: leafExpression(of, visitText(of.attribute as VisitDimension)),
        })
  return {
    range: query.range,
    dates: rangeText(query.range, query.site.timezone),
    match: query.filters.map(filter => toMatch(filter, leaf, () => ({}))),
  }
}

function wrongFor(kind: 'events' | 'sessions', filter: Filter): string | undefined {
  if (donesOf(filter).length > 0) return 'has_done and has_not_done are of counts; here each row is looked at by itself'
  const other = leavesOf(filter).find(({ attribute }) => isVisitDimension(attribute) === (kind === 'events'))
  if (!other) return undefined
  const take = kind === 'events' ? 'events take event dimensions' : 'sessions take visit dimensions'
  return `${take}, and ${other.attribute} is none`
}
