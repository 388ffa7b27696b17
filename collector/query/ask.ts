/** Asking: a body goes in, an answer as Plausible's clients know it comes out, with how it was made. */
import type { Db, MongoClient } from 'mongodb'
import { createBlocks } from '../columns/index.ts'
import type { Session } from '../settle/index.ts'
import type { Site } from '../sites/index.ts'
import { type Answered, answerQuery } from './answer.ts'
import { createBlockEngine } from './blocks.ts'
import type { Engine } from './engine.ts'
import { leavesOf } from './filter.ts'
import { createHours } from './hours.ts'
import type { Kept, Turn } from './kept.ts'
import { keyOf } from './key.ts'
import { createMinutes } from './minutes.ts'
import type { Basis } from './moment.ts'
import { createPresent, heldBy, NEXT_MS } from './present.ts'
import { type Fault, type Query, QueryError, TOO_LONG } from './query.ts'
import { rangeText } from './range.ts'
import { isFault, readQuery } from './read-query.ts'
import { reading } from './reading.ts'
import { createScan } from './scan.ts'
import type { Meta, QueryAnswer } from './schema.ts'
import { createVisitors } from './visitors.ts'
import { startWork } from './work.ts'

export interface Queries {
  /**
   * @param body as it was sent
   * @param signal aborts when the asker has gone: where nobody else waits for the same, the database stops, too
   * @param turn where answers are kept: waited for before one is computed
   * @throws what the database throws, and the signal's reason
   */
  ask(body: unknown, site: Site, signal: AbortSignal, turn?: Turn): Promise<QueryAnswer | Fault>
}

export interface QueryParts {
  client: MongoClient
  db: Db
  /** ms since the epoch */
  clock(): number
  /** asked before the scan, the cheapest first */
  engines?: readonly Engine[]
  /** if absent, each question is computed */
  kept?: Kept
  /** how long a question may be computed, ms; half a minute if absent */
  most?: number
}

const noTurn: Turn = async () => () => {}

function enginesOf(db: Db, clock: () => number): Engine[] {
  const hours = createHours(db, clock)
  return [hours, createMinutes(db, clock), createVisitors(db, hours), createBlockEngine(db, createBlocks(db))]
}

export function createQueries({ client, db, clock, engines = enginesOf(db, clock), kept, most }: QueryParts): Queries {
  const all = [...engines, createScan(db)]
  const present = createPresent(client, db, kept && NEXT_MS)
  return {
    async ask(body, site, signal, turn = noTurn) {
      const begun = performance.now()
      // In whole seconds, so that what is compared up to now is the same question for a second.
      const now = Math.floor(clock() / 1_000) * 1_000
      try {
        const query = await readQuery(body, { site, now, begin: () => beginOf(db, site.key, signal) })
        if (isFault(query)) return query
        const { moment, hold, release } = await heldBy(present(), signal)
        const begin = () => {
          // Others may wait for it when this asker has gone.
          const { session, release } = hold()
          const compute = (stop: AbortSignal) =>
            answerQuery(query, { engines: all, now, reads: { session, signal: stop } }).finally(release)
          return startWork(compute, most)
        }
        try {
          const { answer, cached } = kept
            ? await kept.take({ key: keyOf(query), basis: basisOf(query), moment, signal, turn, begin })
            : { answer: await begin().join(signal), cached: false }
          return toAnswer(query, answer, {
            fresh: Math.min(now, moment.oldest ?? now),
            cached,
            ms: performance.now() - begun,
          })
        } finally {
          release()
        }
      } catch (error) {
        if (error instanceof QueryError) return error.fault
        const fault = faultOf(error)
        if (fault) return fault
        throw error
      }
    },
  }
}

/** Where a session begins, it is counted whole, but for bots. */
function basisOf({ site, range, compared, dimensions, filters, include }: Query): Basis {
  const asked = [...dimensions, ...filters.flatMap(leavesOf).map(({ attribute }) => attribute)]
  const hasBots = include.bots || asked.includes('event:bot')
  return { site: site.key, to: hasBots ? Number.MAX_SAFE_INTEGER : Math.max(range.to, compared?.to ?? 0) }
}

/**
 * What MongoDB says of a read that took too long (50); what `$regexMatch` says of a pattern that is none, and of one that
 * it gave up on: its steps are bounded.
 */
export function faultOf(error: unknown): Fault | undefined {
  const { code, message } = error as { code?: unknown; message: string }
  if (code === 50) return TOO_LONG
  if (code === 51_111)
    return { code: 'query-invalid', detail: `filters: not a regular expression of PCRE: ${message.split(': ').at(-1)}` }
  if (code !== 51_156) return undefined
  return { code: 'query-too-large', detail: 'filters: a regular expression takes too many steps: ask a simpler one' }
}

function toAnswer(
  query: Query,
  { results, ...made }: Answered,
  { fresh, cached, ms }: { fresh: number; cached: boolean; ms: number },
): QueryAnswer {
  const { site, grid, include, range, compared } = query
  const meta: Meta = {
    ...made,
    fresh: new Date(fresh).toISOString(),
    ms: Math.round(ms),
    cached,
    timezone: site.timezone,
    ...(grid && { partial: grid.partial }),
    ...(grid && include.timeLabels && { time_labels: grid.labels }),
    ...(include.imports && {
      imports_included: false,
      imports_skip_reason: 'unsupported_query',
      imports_warning: 'There are no imported stats: livetag counts what it has received itself.',
    }),
    ...(compared && { comparison_date_range: rangeText(compared, site.timezone) }),
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
export async function beginOf(db: Db, site: string, signal: AbortSignal): Promise<number | undefined> {
  const options = reading(signal)
  const session = db.collection<Session>('sessions').find({ site }, { ...options, projection: { start: 1 } })
  const event = db.collection('events').find({ 'meta.site': site }, { ...options, projection: { ts: 1 } })
  const [[first], [raw]] = await Promise.all([
    session.sort({ start: 1 }).limit(1).toArray(),
    event.sort({ ts: 1 }).limit(1).toArray(),
  ])
  const times = [first?.start, raw?.ts].flatMap(at => (at ? [+at] : []))
  return times.length > 0 ? Math.min(...times) : undefined
}
