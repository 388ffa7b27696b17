/** Asking: a body goes in, an answer as Plausible's clients know it comes out, with how it was made. */
import type { Db, MongoClient } from 'mongodb'
import type { StoredPage } from '../journal/index.ts'
import { lanes, type Session } from '../settle/index.ts'
import type { Site } from '../sites/index.ts'
import { answerQuery } from './answer.ts'
import type { Engine } from './engine.ts'
import { createHours } from './hours.ts'
import { createMinutes } from './minutes.ts'
import { type Fault, type Query, QueryError } from './query.ts'
import { rangeText } from './range.ts'
import { isFault, readQuery } from './read-query.ts'
import { createScan } from './scan.ts'
import type { Meta, QueryAnswer } from './schema.ts'
import { createVisitors } from './visitors.ts'

export interface Queries {
  /**
   * @param body as it was sent
   * @param signal aborts when nobody waits any more: then the database stops, too
   * @throws what the database throws
   */
  ask(body: unknown, site: Site, signal: AbortSignal): Promise<QueryAnswer | Fault>
}

export interface QueryParts {
  client: MongoClient
  db: Db
  /** ms since the epoch */
  clock(): number
  /** asked before the scan, the cheapest first */
  engines?: readonly Engine[]
}

function enginesOf(client: MongoClient, db: Db, clock: () => number): Engine[] {
  const hours = createHours(client, db, clock)
  return [hours, createMinutes(client, db, clock), createVisitors(client, db, hours)]
}

export function createQueries({ client, db, clock, engines = enginesOf(client, db, clock) }: QueryParts): Queries {
  const all = [...engines, createScan(db)]
  return {
    async ask(body, site, signal) {
      const begun = performance.now()
      const now = clock()
      const query = await readQuery(body, { site, now, begin: () => beginOf(db, site.key) })
      if (isFault(query)) return query
      const fresh = await freshOf(db, now)
      try {
        const answered = await answerQuery(query, { engines: all, now, signal })
        return toAnswer(query, answered, fresh, performance.now() - begun)
      } catch (error) {
        if (error instanceof QueryError) return error.fault
        const fault = patternFault(error)
        if (fault) return fault
        throw error
      }
    },
  }
}

/** What `$regexMatch` says of a pattern that is none, and of one that it gave up on: its steps are bounded. */
function patternFault(error: unknown): Fault | undefined {
  const { code, message } = error as { code?: unknown; message: string }
  if (code === 51_111)
    return { code: 'query-invalid', detail: `filters: not a regular expression of PCRE: ${message.split(': ').at(-1)}` }
  if (code !== 51_156) return undefined
  return { code: 'query-too-large', detail: 'filters: a regular expression takes too many steps: ask a simpler one' }
}

function toAnswer(
  query: Query,
  { results, compared, ...made }: Awaited<ReturnType<typeof answerQuery>>,
  fresh: number,
  ms: number,
): QueryAnswer {
  const { site, grid, include, range } = query
  const meta: Meta = {
    ...made,
    fresh: new Date(fresh).toISOString(),
    ms: Math.round(ms),
    timezone: site.timezone,
    ...(grid && { partial: grid.partial }),
    ...(grid && include.timeLabels && { time_labels: grid.labels }),
    ...(include.imports && {
      imports_included: false,
      imports_skip_reason: 'unsupported_query',
      imports_warning: 'There are no imported stats: livetag counts what it has received itself.',
    }),
    ...(compared && { comparison_date_range: compared }),
  }
  return {
    results,
    meta,
    query: {
      site_id: site.key,
      metrics: query.metrics,
      date_range: rangeText(range, site.timezone),
      filters: query.raw.filters ?? [],
      dimensions: query.dimensions,
      order_by: query.order.map(([by, direction]) => [by, direction === 1 ? 'asc' : 'desc']),
      include: query.raw.include ?? {},
      pagination: { limit: query.limit, offset: query.offset },
    },
  }
}

/** When the site's data begins, ms: with a session, or an event without one. */
async function beginOf(db: Db, site: string): Promise<number | undefined> {
  const session = db.collection<Session>('sessions').find({ site }, { projection: { start: 1 } })
  const event = db.collection('events').find({ 'meta.site': site }, { projection: { ts: 1 } })
  const [[first], [raw]] = await Promise.all([
    session.sort({ start: 1 }).limit(1).toArray(),
    event.sort({ ts: 1 }).limit(1).toArray(),
  ])
  const times = [first?.start, raw?.ts].flatMap(at => (at ? [+at] : []))
  return times.length > 0 ? Math.min(...times) : undefined
}

/** Up to when everything that was received is settled, ms: until the oldest page that is not. */
async function freshOf(db: Db, now: number): Promise<number> {
  const options = { readConcern: { level: 'majority' } } as const
  const ids = (
    await lanes(db)
      .find({}, { ...options, projection: { _id: 1 } })
      .toArray()
  ).map(({ _id }) => _id)
  const [oldest] = await db
    .collection<StoredPage>('journal')
    .find({ lane: { $in: ids }, state: 'open' }, { ...options, projection: { at: 1 } })
    .sort({ _id: 1 })
    .limit(1)
    .toArray()
  return Math.min(now, +(oldest?.at ?? now))
}
