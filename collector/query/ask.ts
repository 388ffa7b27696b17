/** Asking: a body goes in, an answer as Plausible's clients know it comes out, with how it was made. */
import type { Db, MongoClient } from 'mongodb'
import { createBlocks } from '../columns/index.ts'
import type { Site } from '../sites/index.ts'
import { type Analyses, createAnalyses } from './analyses/index.ts'
import { type Answered, answerQuery } from './answer.ts'
import { beginOf } from './begin.ts'
import { createBlockEngine } from './blocks.ts'
import { type Computed, createComputing, faultOf } from './computing.ts'
import type { Engine } from './engine.ts'
import { leavesOf } from './filter.ts'
import { createHours } from './hours.ts'
import type { Kept, Turn } from './kept.ts'
import { keyOf } from './key.ts'
import { createMinutes } from './minutes.ts'
import type { Basis } from './moment.ts'
import type { Fault, Query } from './query.ts'
import { rangeText } from './range.ts'
import { isFault, readQuery } from './read-query.ts'
import { createScan } from './scan.ts'
import { scanHere } from './scanning.ts'
import type { Meta, QueryAnswer } from './schema.ts'
import type { Threads } from './threads/threads.ts'
import { createVisitors } from './visitors.ts'

export interface Queries extends Analyses {
  /**
   * @param body as it was sent
   * @param signal aborts when the asker has gone: where nobody else waits for the same, the database stops, too
   * @param turn where answers are kept: waited for before one is computed
   * @param tell takes an estimate where the answer will take long; it is made first, and nothing else is told
   * @throws what the database throws, and the signal's reason
   */
  ask(
    body: unknown,
    site: Site,
    signal: AbortSignal,
    turn?: Turn,
    tell?: (estimate: QueryAnswer) => void,
  ): Promise<QueryAnswer | Fault>
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
  /** in which columns are scanned; in this one if absent */
  threads?: Threads
  /** events and sessions of which an estimate comes first, where one is wanted; some millions if absent */
  large?: number
}

const noTurn: Turn = async () => () => {}

function enginesOf(db: Db, clock: () => number, blockEngine: Engine): Engine[] {
  const hours = createHours(db, clock)
  return [hours, createMinutes(db, clock), createVisitors(db, hours), blockEngine]
}

export function createQueries({ client, db, clock, engines, kept, most, threads, large }: QueryParts): Queries {
  const blocks = createBlocks(db, { dropped: threads?.drop })
  const scanning = threads?.scanning ?? scanHere
  const all = [...(engines ?? enginesOf(db, clock, createBlockEngine(db, blocks, scanning, large))), createScan(db)]
  const compute = createComputing({ client, db, kept, most })
  return {
    ...createAnalyses({ db, blocks, scanning, compute, clock }),
    async ask(body, site, signal, turn = noTurn, tell) {
      const begun = performance.now()
      // In whole seconds, so that what is compared up to now is the same question for a second.
      const now = Math.floor(clock() / 1_000) * 1_000
      try {
        const query = await readQuery(body, { site, now, begin: () => beginOf(db, site.key, signal) })
        if (isFault(query)) return query
        const question = { key: keyOf(query), basis: basisOf(query), signal, turn }
        const answering = { engines: all, now }
        const said = ({ answer, cached, oldest = now }: Computed<Answered>): QueryAnswer =>
          toAnswer(query, answer, { fresh: Math.min(now, oldest), cached, ms: performance.now() - begun })
        if (tell) {
          const there = await compute.find<Answered>(question)
          if (there) return said(there)
          const first = await compute({ ...question, key: `${question.key} estimated` }, reads =>
            answerQuery(query, { ...answering, reads: { ...reads, estimates: true } }),
          )
          if (first.answer.sample === undefined) return said(first)
          tell(said(first))
        }
        return said(await compute(question, reads => answerQuery(query, { ...answering, reads })))
      } catch (error) {
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
