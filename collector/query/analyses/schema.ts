/**
 * What the analyses take and answer, declared once: types, checks and the OpenAPI description come from here. Ranges and
 * filters are those of `POST /api/v2/query`.
 */
import Type, { type Static } from 'typebox'
import { EVENT_FIELDS, VISIT_FIELDS } from '../names.ts'
import { DateRange, Filter, MOST, Revenue, SOURCES } from '../schema.ts'

export const MOST_STEPS = 12
/** Longest time from the first step of a funnel to its last one, s, and longest look back of an attribution, days. */
export const MOST_WINDOW = 90 * 86_400
const MOST_LOOKBACK = 90

const strict = { additionalProperties: false } as const
const filters = Type.Array(Filter, { maxItems: MOST.filters })
const base = {
  site_id: Type.String({ description: 'key of the site' }),
  date_range: DateRange,
  filters: Type.Optional(filters),
  include: Type.Optional(
    Type.Object(
      { bots: Type.Optional(Type.Boolean({ default: false, description: 'also what was recognized as a bot' })) },
      strict,
    ),
  ),
}
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: MOST.rows, default: 100, description: 'rows' }))
const visitAttribute = Type.Enum(Object.keys(VISIT_FIELDS))
const eventAttribute = Type.Union([
  Type.Enum(Object.keys(EVENT_FIELDS).filter(name => name !== 'event:goal')),
  Type.String({ pattern: '^event:props:.{1,100}$' }),
])

/** Steps in their order; other events may lie between them. */
export const FunnelBody = Type.Object(
  {
    ...base,
    steps: Type.Array(
      Type.Object(
        {
          name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
          filters: Type.Array(Filter, { minItems: 1, maxItems: 10, description: 'of events; all of them hold' }),
        },
        strict,
      ),
      { minItems: 2, maxItems: MOST_STEPS },
    ),
    by: Type.Optional(Type.Enum(['session', 'visitor'], { default: 'session' })),
    window_seconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MOST_WINDOW,
        description: 'from the first step to the last; any time if absent',
      }),
    ),
  },
  strict,
)

export const MODELS = ['last_click', 'first', 'linear', 'position', 'time_decay'] as const
export type Model = (typeof MODELS)[number]
export const AttributionBody = Type.Object(
  {
    ...base,
    goal: Type.String({ minLength: 1, maxLength: 100, description: 'name of a goal' }),
    model: Type.Enum([...MODELS]),
    dimension: Type.Optional(visitAttribute),
    lookback_days: Type.Optional(Type.Integer({ minimum: 0, maximum: MOST_LOOKBACK, default: 30 })),
    half_life_days: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, maximum: MOST_LOOKBACK, default: 7, description: 'of time_decay' }),
    ),
    limit,
  },
  strict,
)

export const RetentionBody = Type.Object(
  { ...base, period: Type.Optional(Type.Enum(['day', 'week', 'month'], { default: 'week' })) },
  strict,
)

export const CtrBody = Type.Object(
  {
    ...base,
    dimension: eventAttribute,
    impression: Type.Optional(Type.String({ minLength: 1, maxLength: 120, default: 'impression' })),
    click: Type.Optional(Type.String({ minLength: 1, maxLength: 120, default: 'click' })),
    limit,
  },
  strict,
)

export const JourneysBody = Type.Object(
  {
    ...base,
    page: Type.String({ minLength: 1, maxLength: MOST.text, description: 'path' }),
    direction: Type.Optional(Type.Enum(['next', 'previous'], { default: 'next' })),
    limit,
  },
  strict,
)

const meta = Type.Object({
  source: Type.Enum([...SOURCES], { description: 'of what was read, the rawest' }),
  exact: Type.Literal(true),
  fresh: Type.String({ description: 'what was received before this time is contained (ISO 8601)' }),
  ms: Type.Number({ description: 'how long it took' }),
  timezone: Type.String({ description: 'in which days begin' }),
  date_range: Type.Tuple([Type.String(), Type.String()]),
})
export type AnalysisMeta = Static<typeof meta>

const count = Type.Integer({ minimum: 0 })
const percent = Type.Number({ minimum: 0, maximum: 100, description: 'two decimals' })
const seconds = Type.Union([Type.Number(), Type.Null()])

export const FunnelAnswer = Type.Object({
  results: Type.Array(
    Type.Object({
      name: Type.String(),
      reached: count,
      of_first: percent,
      of_previous: percent,
      dropped: Type.Integer({ minimum: 0, description: 'reached the step before and not this one' }),
      seconds: Type.Object(
        { average: seconds, median: seconds },
        { description: 'since the step before, of those who reached it; null of the first step, and of none' },
      ),
    }),
  ),
  meta,
})
const value = Type.Union([Type.Null(), Revenue])
export const AttributionAnswer = Type.Object({
  results: Type.Array(
    Type.Object({
      value: Type.String(),
      conversions: Type.Number({ minimum: 0, description: 'four decimals: one is divided among visits' }),
      revenue: value,
    }),
  ),
  total: Type.Object({ conversions: count, revenue: value }),
  meta,
})
export const RetentionAnswer = Type.Object({
  results: Type.Array(
    Type.Object({
      label: Type.String({ description: 'begin of the period of the first visit' }),
      visitors: count,
      returned: Type.Array(count, { description: 'by period from that one on: how many of them had a visit in it' }),
      share: Type.Array(percent),
    }),
  ),
  meta,
})
export const CtrAnswer = Type.Object({
  results: Type.Array(
    Type.Object({
      value: Type.String(),
      impressions: count,
      clicks: count,
      ctr: Type.Union([Type.Number(), Type.Null()], { description: 'clicks in percent of impressions; null of none' }),
      viewers: Type.Integer({ minimum: 0, description: 'visitors with an impression' }),
      clickers: Type.Integer({ minimum: 0, description: 'of these, with a click at or after their first impression' }),
      viewer_ctr: Type.Union([Type.Number(), Type.Null()]),
    }),
  ),
  meta,
})
export const JourneysAnswer = Type.Object({
  results: Type.Array(
    Type.Object({
      page: Type.String({ description: 'path; (exit) or (entry) where there was none' }),
      views: count,
      share: percent,
    }),
  ),
  total: Type.Object({ views: Type.Integer({ description: 'page views of the page in the range' }) }),
  meta,
})

export const ANALYSES = {
  funnel: { body: FunnelBody, answer: FunnelAnswer },
  attribution: { body: AttributionBody, answer: AttributionAnswer },
  retention: { body: RetentionBody, answer: RetentionAnswer },
  ctr: { body: CtrBody, answer: CtrAnswer },
  journeys: { body: JourneysBody, answer: JourneysAnswer },
} as const
export type Analysis = keyof typeof ANALYSES
export type FunnelBody = Static<typeof FunnelBody>
export type AttributionBody = Static<typeof AttributionBody>
export type RetentionBody = Static<typeof RetentionBody>
export type CtrBody = Static<typeof CtrBody>
export type JourneysBody = Static<typeof JourneysBody>
/** An answer without how it was made. */
export type Results<A extends Analysis> = Omit<Static<(typeof ANALYSES)[A]['answer']>, 'meta'>
