/** Batches as tags send them: mostly good, some late by days, some events of no use, some ids of the caller's own. */
import { type Envelope, LIMITS, type WireEvent } from '../../tag/wire.ts'
import { type Batch, eventKey, type SentEvent } from './ledger.ts'
import type { Draws } from './seeded.ts'

const NAMES = ['pageview', 'click', 'impression', 'scroll', 'add_to_cart'] as const
const REFERRERS = ['', 'https://www.google.com/', 'https://news.example/story'] as const
const HOUR = 3_600_000

/** What makes an event of no use; the rest of its batch has to be taken. */
const FLAWS: readonly [Partial<WireEvent>, ...Partial<WireEvent>[]] = [
  { n: '' },
  { n: 'a\u0000b' },
  { t: LIMITS.lateMs + 1 },
  { d: { $where: 1 } },
  { d: { text: '\u0000' } },
  { d: { text: 'x'.repeat(LIMITS.text + 1) } },
]

export interface Batches {
  /** @param bulk length of a text in each event */
  next(events: number, bulk?: number): Batch
}

/** Of an order its worth, the same whoever sends it. */
const orderOf = (order: number) => ({
  total: order * 5,
  revenue: order % 3 === 0 ? { amount: `${order}`, currency: 'JPY' } : { amount: `${order}.05`, currency: 'EUR' },
})

type Ages = readonly [number, ...number[]]

/** Few moments, so that late events share rollups, and many, so that there are many rollups; ms. */
const agesOf = (draws: Draws): Ages => [0, 0, 0, 0, 20 * 60_000, 5 * HOUR, 26 * HOUR, draws.whole(1, 6) * 24 * HOUR]

/**
 * @param orders callers' own ids of a round: drawn from so few that clients meet in them
 * @param ages how late events may be
 */
export function batchesOf(site: string, draws: Draws, orders: number, ages?: Ages): Batches {
  const newVisit = () => ({ agent: draws.whole(1, 1e9), session: draws.text(16), left: draws.whole(3, 15) })
  const visits = Array.from({ length: 3 }, newVisit)
  const visitor = draws.text(16)
  const late = ages ?? agesOf(draws)

  return {
    next(count, bulk = 0) {
      const place = draws.whole(0, visits.length - 1)
      const visit = visits[place] ?? newVisit()
      if (--visit.left < 0) visits[place] = newVisit()
      const cookieless = draws.chance(0.25) ? visit.agent : undefined
      const session = draws.chance(0.9) && cookieless === undefined ? visit.session : undefined
      const w = draws.text(16)
      const path = `/p/${Math.floor(draws.share() ** 3 * 50)}`
      const bot = draws.chance(0.1)
      const base = draws.pick(late)
      const from = Date.now()
      const batch: Batch = { body: '', bot, events: [], invalid: [], fickle: draws.chance(0.1) }
      if (cookieless !== undefined) batch.cookieless = cookieless
      const e = Array.from({ length: count }, (_, q): WireEvent => {
        const t = base + draws.whole(0, 60_000)
        const event: WireEvent = { n: q === 0 ? 'pageview' : draws.pick(NAMES), q, t, d: { n: q } }
        if (q % 2 === 1) event.d = { n: q, campaign: `campaign-${q % 6}` }
        if (bulk > 0) event.d = { text: 'x'.repeat(bulk) }
        if (draws.chance(0.03)) {
          batch.invalid.push(`${w}.${q}`)
          return { ...event, ...draws.pick(FLAWS) }
        }
        if (draws.chance(0.04))
          Object.assign(event, { n: 'consent', d: { purposes: ['measure', 'identify'], signal: 'api' } })
        else if (draws.chance(0.03)) {
          const order = draws.whole(1, orders)
          Object.assign(event, { n: 'purchase', id: `order-${order}`, d: orderOf(order) })
        }
        const sent: SentEvent = { path, session, visitor, bot, ago: t, from }
        if (cookieless !== undefined) Object.assign(sent, { visitor: undefined, cookieless })
        batch.events.push([eventKey(event.id ?? `${w}.${q}`, event.n), sent])
        return event
      })
      const r = draws.pick(REFERRERS)
      const p = { u: `https://shop.example${path}`, ti: 'A page', vw: 1280, ...(r !== '' && { r }) }
      // What is sent without consent to ids has some nevertheless: they must not get anywhere.
      const c = cookieless === undefined ? 'g' : 'l'
      const envelope: Envelope = { s: site, t: from, w, p, c, i: visitor, e, ...(session && { k: session }) }
      batch.body = JSON.stringify(envelope)
      return batch
    },
  }
}
