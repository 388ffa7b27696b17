/** Asking: a body goes in, an answer as Plausible's clients know it comes out, with how it was made. */
import type { Db, MongoClient } from 'mongodb'
import { type Blocks, createBlocks } from '../columns/index.ts'
import type { Site } from '../sites/index.ts'
import { type Analyses, createAnalyses } from './analyses/index.ts'
import { type Answered, answerQuery } from './answer.ts'
import { beginOf } from './begin.ts'
import { createBlockEngine } from './blocks.ts'
import { createComputing, faultOf } from './computing.ts'
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
import { type Scanning, scanHere } from './scanning.ts'
import type { Meta, QueryAnswer } from './schema.ts'
import type { Threads } from './threads/threads.ts'
import { createVisitors } from './visitors.ts'

export interface Queries extends Analyses {
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
  /** in which columns are scanned; in this one if absent */
  threads?: Threads
}

const noTurn: Turn = async () => () => {}

function enginesOf(db: Db, clock: () => number, blocks: Blocks, scanning: Scanning): Engine[] {
  const hours = createHours(db, clock)
  return [hours, createMinutes(db, clock), createVisitors(db, hours), createBlockEngine(db, blocks, scanning)]
}

export function createQueries({ client, db, clock, engines, kept, most, threads }: QueryParts): Queries {
  const blocks = createBlocks(db, { dropped: threads?.drop })
  const scanning = threads?.scanning ?? scanHere
  const all = [...(engines ?? enginesOf(db, clock, blocks, scanning)), createScan(db)]
  const compute = createComputing({ client, db, kept, most })
  return {
    ...createAnalyses({ db, blocks, scanning, compute, clock }),
    async ask(body, site, signal, turn = noTurn) {
      const begun = performance.now()
      // In whole seconds, so that what is compared up to now is the same question for a second.
      const now = Math.floor(clock() / 1_000) * 1_000
      try {
        const query = await readQuery(body, { site, now, begin: () => beginOf(db, site.key, signal) })
        if (isFault(query)) return query
        const { answer, cached, oldest } = await compute(
          { key: keyOf(query), basis: basisOf(query), signal, turn },
          reads => answerQuery(query, { engines: all, now, reads }),
        )
        const fresh = Math.min(now, oldest ?? now)
        return toAnswer(query, answer, { fresh, cached, ms: performance.now() - begun })
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
