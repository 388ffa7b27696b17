/** What the live views tell of a day's different visitors: what the query API answers. */
import type { CountVisitors } from './live/index.ts'
import type { Queries } from './query/index.ts'

export const createVisitorsToday =
  (queries: Pick<Queries, 'ask'>): CountVisitors =>
  async (site, signal) => {
    const body = { site_id: site.key, metrics: ['visitors'], date_range: 'day' }
    const answer = await queries.ask(body, site, signal)
    if ('code' in answer) return undefined
    const count = answer.results[0]?.metrics[0]
    const { error } = answer.meta
    return typeof count === 'number' ? { count, ...(error !== undefined && { error }) } : undefined
  }
