/**
 * Events and page views from the minute rollups, where a question has no dimension but time. Their rows count bots along,
 * and only of events they say how many: page views are answered where there were none. Visits and visitors are not, as a
 * minute does not say which of its visits are a bot's.
 */
import type { Db } from 'mongodb'
import { COUNTERS } from '../journal/index.ts'
import { readMinutes } from '../rollup/index.ts'
import { MINUTE_MS } from '../settle/index.ts'
import { KEPT } from '../store/index.ts'
import type { Ask, Engine, Row } from './engine.ts'
import { placeOf } from './grid.ts'
import { reading } from './reading.ts'

const DAY_MS = 86_400_000

const [EVENTS, VIEWS, BOTS] = (['events', 'views', 'bots'] as const).map(counter => COUNTERS.indexOf(counter)) as [
  number,
  number,
  number,
]

export function createMinutes(db: Db, clock: () => number): Engine {
  return {
    name: 'minutes',
    async answer(ask, { session, signal }) {
      const { site, range, grid } = ask
      // A day sooner than they expire.
      if (!isAnswered(ask) || range.from < clock() - KEPT.minutes + DAY_MS) return undefined
      const asked = {
        site: site.key,
        dims: ['total'] as const,
        from: range.from,
        to: range.to - MINUTE_MS,
        options: reading(signal),
      }
      const minutes = await readMinutes(db, asked, session)
      const rows = new Map<number, Row>()
      for (const [at, values] of minutes.get('total') ?? []) {
        const row = values.get('') ?? []
        const bots = ask.bots === 'none' ? (row[BOTS] ?? 0) : 0
        if (bots > 0 && ask.measures.includes('pageviews')) return undefined
        const bucket = grid ? placeOf(grid.starts, at) : 0
        const { counts } = rows.get(bucket) ?? { counts: { events: 0, pageviews: 0 } }
        const events = (counts.events ?? 0) + (row[EVENTS] ?? 0) - bots
        const pageviews = (counts.pageviews ?? 0) + (row[VIEWS] ?? 0)
        rows.set(bucket, { values: [], bucket, counts: { events, pageviews } })
      }
      return { rows: [...rows.values()].filter(({ counts }) => counts.events), source: 'rollups' }
    },
  }
}

const isAnswered = ({ over, range, bots }: Ask): boolean =>
  over === 'events' && bots !== 'only' && range.from % MINUTE_MS === 0 && range.to % MINUTE_MS === 0
