/**
 * What `POST /api/v2/query` takes and answers, declared once: types, checks and the OpenAPI description come from here.
 * The names are those of Plausible's Stats API v2 (https://plausible.io/docs/stats-api), so that its clients work.
 */
import Type, { type Static } from 'typebox'
import { EVENT_FIELDS, METRICS, VISIT_FIELDS } from './names.ts'

/** How large a question may be. */
export const MOST = {
  dimensions: 5,
  /** filters of one list */
  filters: 50,
  /** how deep `and`, `or` and `not` may nest */
  depth: 10,
  /** values of one filter */
  clauses: 1_000,
  /** characters of one value */
  text: 2_048,
  /** rows of one answer */
  rows: 10_000,
} as const

const metric = Type.Enum([...METRICS])
const property = Type.String({ pattern: '^event:props:.{1,100}$' })
const attribute = Type.Union([Type.Enum([...Object.keys(VISIT_FIELDS), ...Object.keys(EVENT_FIELDS)]), property])
const time = Type.Enum(['time', 'time:minute', 'time:hour', 'time:day', 'time:week', 'time:month'])
const dimension = Type.Union([time, attribute])
const clauses = Type.Array(Type.Union([Type.String({ maxLength: MOST.text }), Type.Integer()]), {
  minItems: 1,
  maxItems: MOST.clauses,
})

/** Operators that compare with texts, which may ignore case. */
export const PLAIN = ['is', 'is_not', 'contains', 'contains_not'] as const
/** Operators that compare with regular expressions (PCRE), or with texts in which `*` stands for any characters. */
export const PATTERN = ['matches', 'matches_not', 'matches_wildcard', 'matches_wildcard_not'] as const

const modifiers = Type.Object(
  { case_sensitive: Type.Optional(Type.Boolean({ default: true })) },
  { additionalProperties: false },
)
const filter = Type.Ref('Filter')
export const Filter = Type.Cyclic(
  {
    Filter: Type.Union([
      Type.Tuple([Type.Enum([...PLAIN]), attribute, clauses]),
      Type.Tuple([Type.Enum([...PLAIN]), attribute, clauses, modifiers]),
      Type.Tuple([Type.Enum([...PATTERN]), attribute, clauses]),
      Type.Tuple([Type.Enum(['and', 'or']), Type.Array(filter, { minItems: 1, maxItems: MOST.filters })]),
      Type.Tuple([Type.Literal('not'), filter]),
      Type.Tuple([Type.Enum(['has_done', 'has_not_done']), filter]),
    ]),
  },
  'Filter',
)

const pair = Type.Tuple([Type.String(), Type.String()])
/** A name, or first and last date of the site, or first and last second as ISO 8601 with an offset. */
export const DateRange = Type.Union([
  Type.Enum(['30m', '6h', '24h', 'day', 'month', 'year', 'all']),
  Type.String({ pattern: '^[1-9]\\d{0,3}d$', description: 'complete days before today, as 7d' }),
  Type.String({ pattern: '^[1-9]\\d?mo$', description: 'complete months before this one, as 6mo' }),
  pair,
])

export const Comparisons = Type.Object(
  {
    mode: Type.Enum(['previous_period', 'year_over_year', 'custom']),
    match_day_of_week: Type.Optional(Type.Boolean({ default: false })),
    date_range: Type.Optional(pair),
  },
  { additionalProperties: false },
)

export const Include = Type.Object(
  {
    imports: Type.Optional(Type.Boolean({ default: false, description: 'accepted, and answered with a warning' })),
    time_labels: Type.Optional(Type.Boolean({ default: false })),
    total_rows: Type.Optional(Type.Boolean({ default: false })),
    comparisons: Type.Optional(Comparisons),
    bots: Type.Optional(Type.Boolean({ default: false, description: 'also what was recognized as a bot' })),
    explain: Type.Optional(Type.Boolean({ default: false, description: 'meta says how it was answered' })),
    exact: Type.Optional(
      Type.Boolean({ default: false, description: 'visitors are counted and not estimated, however long that takes' }),
    ),
  },
  { additionalProperties: false },
)

const Pagination = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST.rows, default: MOST.rows })),
    offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000_000, default: 0 })),
  },
  { additionalProperties: false },
)

/** The body of a question. */
export const QueryBody = Type.Object(
  {
    site_id: Type.String({ description: 'key of the site' }),
    metrics: Type.Array(metric, { minItems: 1, uniqueItems: true }),
    date_range: DateRange,
    dimensions: Type.Optional(Type.Array(dimension, { maxItems: MOST.dimensions, uniqueItems: true })),
    filters: Type.Optional(Type.Array(Filter, { maxItems: MOST.filters })),
    order_by: Type.Optional(
      Type.Array(Type.Tuple([Type.Union([metric, dimension]), Type.Enum(['asc', 'desc'])]), { maxItems: 15 }),
    ),
    include: Type.Optional(Include),
    pagination: Type.Optional(Pagination),
  },
  { additionalProperties: false },
)
export type QueryBody = Static<typeof QueryBody>
export type Include = Static<typeof Include>
export type Comparisons = Static<typeof Comparisons>

/** Money: `value` in major units, and the same as texts to show. */
export const Revenue = Type.Object({
  value: Type.Number(),
  currency: Type.String({ description: 'of ISO 4217, as in EUR' }),
  short: Type.String({ description: 'as in €1.3K' }),
  long: Type.String({ description: 'as in €1,290.00' }),
})
export type Revenue = Static<typeof Revenue>

const plain = Type.Union([Type.Number(), Type.Null()])
const value = Type.Union([Type.Number(), Type.Null(), Revenue])
export type MetricValue = Static<typeof value>
const texts = Type.Array(Type.String())

/** One group: its values, in the order in which dimensions and metrics were asked for. */
export const ResultRow = Type.Object({
  metrics: Type.Array(value),
  dimensions: texts,
  comparison: Type.Optional(
    Type.Object({
      dimensions: texts,
      metrics: Type.Array(value),
      change: Type.Array(plain, { description: 'percent; of rates the difference' }),
    }),
  ),
})
export type ResultRow = Static<typeof ResultRow>

export const SOURCES = ['rollups', 'blocks', 'sessions', 'events'] as const
export type Source = (typeof SOURCES)[number]
/** What answers, the cheapest first. */
export const ENGINES = ['hours', 'minutes', 'sketches', 'blocks', 'scan'] as const
export type EngineName = (typeof ENGINES)[number]

/** How the answer was made. */
export const Meta = Type.Object({
  source: Type.Enum([...SOURCES], { description: 'of what was read, the rawest' }),
  exact: Type.Boolean(),
  error: Type.Optional(
    Type.Number({
      description:
        'where it is not exact: the bound of the relative error of visitors, 95 of 100 times, as 0.016 is ±1.6 %',
    }),
  ),
  sample: Type.Optional(
    Type.Number({
      description:
        'an estimate that comes before the answer: made of this share of the visitors, and `error` is of all its numbers',
    }),
  ),
  pending: Type.Optional(
    Type.Integer({
      description:
        'beside that, visitors may be off by so many: visits of past days that arrived since these were counted',
    }),
  ),
  fresh: Type.String({ description: 'what was received before this time is contained (ISO 8601)' }),
  ms: Type.Number({ description: 'how long it took' }),
  cached: Type.Boolean({
    description: 'made for an earlier question, and still so: nothing that it counts was received since',
  }),
  timezone: Type.String({ description: 'in which days begin' }),
  partial: Type.Optional(Type.Array(Type.String(), { description: 'time labels that the range cuts, or that go on' })),
  time_labels: Type.Optional(texts),
  total_rows: Type.Optional(Type.Integer()),
  metric_warnings: Type.Optional(
    Type.Record(Type.String(), Type.Object({ code: Type.String(), warning: Type.String() }), {
      description: 'by metric: why it is null',
    }),
  ),
  explain: Type.Optional(
    Type.Array(
      Type.Object({
        over: Type.Enum(['events', 'visits', 'matches']),
        measures: texts,
        dimensions: texts,
        filters: Type.Integer({ description: 'how many have to hold' }),
        engines: Type.Array(Type.Enum([...ENGINES]), {
          description: 'those that were asked, in this order; the last one has answered',
        }),
        source: Type.Enum([...SOURCES]),
        rows: Type.Integer(),
        ms: Type.Number(),
      }),
      { description: 'what the question was taken apart into, and how each was answered' },
    ),
  ),
  imports_included: Type.Optional(Type.Boolean()),
  imports_skip_reason: Type.Optional(Type.String()),
  imports_warning: Type.Optional(Type.String()),
  comparison_date_range: Type.Optional(pair),
})
export type Meta = Static<typeof Meta>

export const QueryAnswer = Type.Object({
  results: Type.Array(ResultRow),
  meta: Meta,
  /** as it was understood */
  query: QueryBody,
})
export interface QueryAnswer {
  results: ResultRow[]
  meta: Meta
  query: object
}
