/** A question that was checked, and what is wrong with one that can't be answered. */
import type { Site } from '../sites/index.ts'
import type { Filter } from './filter.ts'
import type { Grid } from './grid.ts'
import type { Dimension, Metric } from './names.ts'
import type { Range } from './range.ts'
import type { QueryBody } from './schema.ts'

/** Most time buckets of one answer. */
export const MOST_BUCKETS = 20_000

export interface Query {
  site: Site
  metrics: Metric[]
  range: Range
  /** of the time dimension, if there is one */
  grid: Grid | undefined
  /** `time` resolved; at most one of time */
  dimensions: Dimension[]
  /** all of them hold */
  filters: Filter[]
  order: [by: Metric | Dimension, direction: 1 | -1][]
  limit: number
  offset: number
  /** what it is compared with */
  compared: Range | undefined
  include: {
    imports: boolean
    timeLabels: boolean
    totalRows: boolean
    bots: boolean
    exact: boolean
    explain: boolean
  }
  /** as they were sent, for the answer */
  raw: Pick<QueryBody, 'filters' | 'include'>
}

/** Why a question is not answered; the codes are those of the API's problems. */
export interface Fault {
  code: 'query-invalid' | 'query-unsupported' | 'query-too-large' | 'query-timeout' | 'too-many-queries'
  /** what is wrong, where, and what to do */
  detail: string
}

export const TOO_LONG: Fault = {
  code: 'query-timeout',
  detail: 'Ask a shorter date_range, or fewer dimensions and filters.',
}

/** Thrown where it is not found out before it is asked. */
export class QueryError extends Error {
  override name = 'QueryError'
  readonly fault: Fault
  constructor(fault: Fault) {
    super(fault.detail)
    this.fault = fault
  }
}
