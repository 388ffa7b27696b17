/**
 * The planner's interface. A question is taken apart into *asks*, and each is put to one engine after another, the cheapest
 * first, until one can answer it. The scan, last, answers every ask.
 */
import type { ClientSession } from 'mongodb'
import type { TallyField } from '../columns/index.ts'
import type { Site } from '../sites/index.ts'
import type { Filter } from './filter.ts'
import type { Grid } from './grid.ts'
import type { Dimension, Metric } from './names.ts'
import type { Range } from './range.ts'
import type { EngineName, Meta, Source } from './schema.ts'

/**
 * What is added up. `visitors` are different ones. `views`, `bounces` (visits of one page view at most) and `duration` (ms)
 * are sums over visits, `events` and `pageviews` over what the ask is about. `revenue` (minor units) is what the events are
 * worth, and `paid` how many of them are worth something; both only of matches.
 */
export type Measure =
  | 'events'
  | 'pageviews'
  | 'visitors'
  | 'visits'
  | 'views'
  | 'bounces'
  | 'duration'
  | 'revenue'
  | 'paid'

export interface Ask {
  site: Site
  range: Range
  /** where `dimensions` has one of time */
  grid: Grid | undefined
  /**
   * - `events`: the events of the range, each in the bucket of its time
   * - `visits`: the visits that start in the range, each once, in the bucket of its start, with all that they hold
   * - `matches`: the events of the range that fit the filters, each with the attributes of its session; by goal, each once a
   *   goal that it meets, and then filters ask of that one
   */
  over: 'events' | 'visits' | 'matches'
  measures: Measure[]
  dimensions: Dimension[]
  /** all hold; none where the ask is over `events`, none of events where it is over `visits` */
  filters: Filter[]
  /** bots are left out, or counted too, or nothing else is counted */
  bots: 'none' | 'all' | 'only'
  /**
   * of `matches`: rows, visits and visitors are those of page views, and `events` are all events of these rows. So are
   * the dimensions `event:page` and `event:hostname` counted where nothing else asks for events of some kind.
   */
  pagesOnly: boolean
  /** whether visitors may not be estimated */
  exact: boolean
  /** absent where there are no dimensions but time: then all rows are wanted, in any order */
  page?: Page
  /** only rows of these keys are wanted, in any order */
  wanted?: ReadonlySet<string>
  /** the first so many windows of visitors are looked at, and all is estimated from these (`sample.ts`) */
  sampled?: number
  /** names the blocks that are read, and the numbers of their visitors; absent where some are not kept, or there are too many */
  blocks?: string
  /** what it asks of events is in the tally of this field (`block-tallies.ts`) */
  tallied?: TallyField
}

export interface Page {
  order: [by: Metric | Dimension, direction: 1 | -1][]
  limit: number
  offset: number
  /** whether to count all rows */
  total: boolean
}

export interface Row {
  /** values of the dimensions but time, in their order */
  values: string[]
  /** place in the grid, 0 where there is none */
  bucket: number
  counts: Partial<Record<Measure, number>>
  /** of its revenue: absent where there is none, null where there are several */
  currency?: string | null
  /** visitors of the same row regardless of goals, where conversions are a share of them */
  everybody?: number
}

export interface Rows {
  rows: Row[]
  /** of all pages, where it was asked for */
  total?: number
  source: Source
  /** bound of the relative error, 95 of 100 times; absent where it is exact */
  error?: number
  /** the share of the visitors that all is estimated from; absent where all was looked at */
  sample?: number
  /** beside that, by how much each number may be off: visits that have changed since they were counted */
  pending?: number
}

/** What an engine reads with. */
export interface Reads {
  /** a snapshot session: all that is counted of one question is of one moment */
  session: ClientSession
  /** aborts when nobody waits for the answer any more */
  signal: AbortSignal
  /** whether what would take long may be estimated from a sample */
  estimates?: boolean
}

export interface Engine {
  /** as `explain` calls it */
  readonly name: EngineName
  /** @returns `undefined` where it can't answer this ask as it is meant: the next engine is asked */
  answer(ask: Ask, reads: Reads): Promise<Rows | undefined>
}

/** Names a row within one answer. */
export const rowKey = ({ values, bucket }: Pick<Row, 'values' | 'bucket'>): string =>
  JSON.stringify([bucket, ...values])

/** How one ask was answered. */
export type Explained = NonNullable<Meta['explain']>[number]

export async function askFirst(
  engines: readonly Engine[],
  ask: Ask,
  reads: Reads,
): Promise<{ rows: Rows; explained: Explained }> {
  const begun = performance.now()
  const asked: EngineName[] = []
  for (const engine of engines) {
    asked.push(engine.name)
    const rows = await engine.answer(ask, reads)
    if (!rows) continue
    const { over, measures, dimensions, filters } = ask
    const explained: Explained = {
      ...{ over, measures, dimensions, filters: filters.length, engines: asked },
      ...{ source: rows.source, rows: rows.rows.length, ms: Math.round(performance.now() - begun) },
    }
    return { rows, explained }
  }
  throw new Error('no engine answers this')
}
