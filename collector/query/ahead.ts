/**
 * Soon after its start a collector asks by itself what a dashboard asks: otherwise who looks first waits for code that nothing
 * has run yet, and for thirty days of rollups and sketches (six times as long as who looks next, `npm run bench -- reports`).
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Site } from '../sites/index.ts'
import type { Queries } from './ask.ts'
import type { VisitDimension } from './names.ts'
import type { QueryAnswer, Source } from './schema.ts'

/** Most sites that are asked of. What is read is held within the bounds of each cache. */
const MOST_SITES = 20
type Asking = Pick<Queries, 'ask'>
const VISIT_LISTS: readonly VisitDimension[] = [
  'visit:source',
  'visit:entry_page',
  'visit:exit_page',
  'visit:channel',
  'visit:utm_campaign',
  'visit:country',
  'visit:device',
  'visit:browser',
  'visit:os',
]
const LISTS = [
  ...VISIT_LISTS.map(dimension => ({ metrics: ['visitors', 'visits'], dimensions: [dimension] })),
  { metrics: ['visitors', 'pageviews'], dimensions: ['event:page'] },
  { metrics: ['visitors', 'pageviews'], dimensions: ['event:hostname'] },
  { metrics: ['visitors', 'events'], dimensions: ['event:name'] },
]

const listsOf = (limit: number): object[] => LISTS.map(list => ({ ...list, pagination: { limit } }))

/** Only what rollups and sketches tell: a question that reads events would burden the start. */
const QUESTIONS: readonly object[] = [
  { metrics: ['visitors', 'visits', 'bounce_rate'], include: { comparisons: { mode: 'previous_period' } } },
  { metrics: ['visitors', 'pageviews'], dimensions: ['time:day'] },
  ...listsOf(10),
]
/** Long lists are asked for later. */
const LONG: readonly object[] = listsOf(100)
/** Of columns, which are read once for all filters. */
const FILTERED: readonly object[] = LISTS.map(list => ({ ...list, filters: [['is', 'visit:channel', ['direct']]] }))

/**
 * One question at a time, and as much time between two as the last one took: people who ask meanwhile come first.
 * @throws what the database throws: it is of no use to go on
 */
export async function askAhead(queries: Asking, sites: readonly Site[], signal: AbortSignal): Promise<void> {
  for (const site of sites.slice(0, MOST_SITES)) {
    // It ends where nothing is sketched yet, or is in columns.
    await askAll(queries, site, QUESTIONS, ['events'], signal)
    // Of large sites first what estimates are made of.
    await askAll(estimating(queries), site, FILTERED, ['events', 'sessions'], signal)
    await askAll(queries, site, FILTERED, ['events', 'sessions'], signal)
    await askAll(queries, site, LONG, ['events'], signal)
  }
}

/** Asks until there is an estimate, where there is one. */
const estimating = (queries: Asking): Asking => ({
  async ask(body, site, signal) {
    const stop = new AbortController()
    let estimate: QueryAnswer | undefined
    const tell = (told: QueryAnswer): void => {
      estimate = told
      stop.abort()
    }
    try {
      return await queries.ask(body, site, AbortSignal.any([signal, stop.signal]), undefined, tell)
    } catch (error) {
      if (!estimate) throw error
      return estimate
    }
  },
})

async function askAll(
  queries: Asking,
  site: Site,
  questions: readonly object[],
  last: readonly Source[],
  signal: AbortSignal,
): Promise<void> {
  for (const question of questions) {
    const begun = performance.now()
    const answer = await queries.ask({ site_id: site.key, date_range: '30d', ...question }, site, signal)
    if ('meta' in answer && last.includes(answer.meta.source)) return
    await pause(performance.now() - begun, undefined, { signal })
  }
}
