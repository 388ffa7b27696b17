/** A few thousand events of several sites, some odd, settled and folded by the product's own functions. */
import type { Db } from 'mongodb'
import { toStored } from '../../collector/journal/index.ts'
import { createFolder } from '../../collector/rollup/index.ts'
import { settleBatch } from '../../collector/settle/batch.ts'
import { leaseLane, raiseFence, type ZoneOf } from '../../collector/settle/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'
import type { PlainEvent } from './recount.ts'

export interface RecordedSite {
  key: string
  timezone: string
  /** ms since the epoch; the end is not included */
  from: number
  to: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** A small generator, so that every run has the same events (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const PATHS = ['/', '/shoes', '/shoes/Red', '/shoes/red?', '/pricing', '/blog/a.b', '/ünï', '/😀']
export const NAMES = ['pageview', 'click', 'signup', 'engagement']
export const GOALS = [['Signup'], ['Signup', 'Order'], ['Order'], ['ünï goal'], undefined, undefined] as const
const WORTH = [[4_900, 'EUR'], [-1_205, 'EUR'], [0, 'EUR'], [999, 'JPY'], [1_005, 'KWD'], undefined, undefined] as const
const PLACES = [
  { country: 'DE', region: 'DE-BY', city: 'München' },
  { country: 'DE', region: 'DE-BE' },
  { country: 'US', city: 'Linköping' },
  {},
]
export const PLANS = ['pro', 'Pro', 'free', 5, 0.5, true, '', '(none)', null, ['x'], undefined] as const

/** What a site has declared, and when, ms since its first event. Of those before, and of one gap, events do not say so. */
export const PROPERTIES = [
  ['plan', 0],
  ['größe', 0],
  ['odd', 0],
  ['a key', 30 * HOUR],
] as const
const GAP = [60 * HOUR, 64 * HOUR] as const
const SIZES = ['L', 'x.l', '', 1, -3, 2.5, 5_000_000_000, false, '(none)', null, { a: 1 }] as const
/** Texts that are not counted by themselves. */
const ODD = ['x'.repeat(300), 1e21] as const

export const propertiesOf = ({ key, from }: RecordedSite) =>
  key === 'nepal' ? [] : PROPERTIES.map(([name, since]) => ({ name, since: new Date(from + since) }))

export function makeEvents({ key, from, to }: RecordedSite, seed: number): PlainEvent[] {
  const random = seeded(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const events: PlainEvent[] = []
  const add = (ts: number, change: Partial<PlainEvent>) => {
    if (ts < from || ts >= to) return
    const plan = pick(PLANS)
    const goals = pick(GOALS)
    const [revenue, currency] = (goals?.[0] === 'Order' ? pick(WORTH.slice(0, 3)) : pick(WORTH)) ?? []
    events.push({
      site: key,
      id: `${key}-${events.length}`,
      ts,
      name: random() < 0.5 ? 'pageview' : pick(NAMES),
      path: pick(PATHS),
      host: pick(['shop.example', 'Blog.example', '']),
      source: pick(['google.com', 'direct', 'News Letter', 'ünï']),
      channel: pick(['direct', 'organic search', 'email']),
      utm: pick(['google', 'Letter', undefined]),
      medium: pick(['cpc', 'email', undefined]),
      campaign: pick(['spring', '(none)', undefined]),
      term: pick(['red shoes', '$x', undefined]),
      content: pick(['a', 'A', undefined]),
      ref: pick(['https://google.com/', '']),
      language: pick(['de', 'en-US', undefined]),
      device: '',
      browser: '',
      os: '',
      consent: 'x',
      ...(goals && { goals: [...goals] }),
      ...(currency && { revenue, currency }),
      ...(random() < 0.7 && { props: { ...(plan !== undefined && { plan }), 'a key': pick(['x', 'y']) } }),
      ...change,
    })
  }
  const agent = () => ({
    device: pick(['desktop', 'mobile', '']),
    browser: pick(['Chrome', 'Firefox']),
    version: pick(['99', '140', undefined]),
    width: pick([320, 575, 576, 991, 992, 1439, 1440, 3000, 0, undefined]),
    os: pick(['Linux', 'macOS', 'Windows']),
    ...pick(PLACES),
    ...(random() < 0.08 && { bot: pick(['Googlebot', 'no name']) }),
  })
  for (let s = 0; s < 150; s++) {
    const named = random() < 0.85 ? `v${Math.floor(random() * 60)}` : undefined
    const shared = { ...agent(), session: `s${s}` }
    let ts = from + Math.floor(random() * (to - from))
    for (let e = 1 + Math.floor(random() * 6); e > 0; e--) {
      // Some events of a session do not say whose they are.
      add(ts, { ...shared, ...(named && random() < 0.9 && { visitor: named }) })
      ts += 1 + Math.floor(random() ** 3 * 3 * HOUR)
    }
  }
  for (let d = 0; d < 30; d++) {
    const visitor = `~cookieless${d}`
    const shared = { ...agent(), consent: 'l' as const, visitor, session: visitor }
    let ts = from + Math.floor(random() * (to - from))
    for (let e = 1 + Math.floor(random() * 8); e > 0; e--) {
      add(ts, shared)
      ts += pick([MINUTE, 29 * MINUTE, 30 * MINUTE, 30 * MINUTE + 1, 2 * HOUR])
    }
  }
  for (let n = 0; n < 15; n++) {
    const ts = from + Math.floor(random() * (to - from))
    add(ts, { ...agent(), ...(n % 2 === 0 && { visitor: `v${n}` }) })
  }
  // Drawn last, so that all else stays as it was.
  for (const event of events) {
    const [size, odd] = [pick(SIZES), random() < 0.003 ? pick(ODD) : 'even']
    if (random() < 0.6) event.props = { ...event.props, größe: size, odd }
    const at = event.ts - from
    const declared = PROPERTIES.filter(([name, since]) => {
      const isLost = name === 'größe' && at >= GAP[0] && at < GAP[1]
      return at >= since && !isLost
    }).map(([name]) => name)
    if (key !== 'nepal') event.declared = declared
  }
  return events
}

/**
 * Settles and folds events, out of order and in pages of 150; the last pages are only settled.
 * @param meanwhile called after each page with how much is settled, from 0 to 1
 */
export async function record(
  db: Db,
  sites: PlainEvent[][],
  zoneOf: ZoneOf,
  meanwhile: (settled: number) => Promise<void> = async () => {},
): Promise<void> {
  await ensureCollections(db)
  // What is recorded here is older than it would be kept.
  for (const name of ['sessions', 'rollups', 'journal', 'touch']) {
    for (const { name: index, expireAfterSeconds } of await db.collection(name).indexes())
      if (expireAfterSeconds !== undefined && index) await db.collection(name).dropIndex(index)
  }
  const lane = await leaseLane(db, 'me')
  const fence = await raiseFence(db, lane)
  const folder = createFolder(db, lane, zoneOf)
  const random = seeded(7)
  const all = sites.flat().map(event => ({ event, at: random() }))
  const events = all
    .toSorted((a, b) => a.at - b.at)
    .map(({ event: { ts, ...event } }) => journalEvent({ ...event, ts: new Date(ts) }))
  for (let i = 0; i < events.length; i += 150) {
    const page = openPage(events.slice(i, i + 150), { lane: lane.id, epoch: lane.epoch })
    await db.collection('journal').insertOne(toStored(page) as object)
    await settleBatch({ db, lane, fence, pages: [page], zoneOf })
    if (i < 0.8 * events.length) while ((await folder.fold()) > 0);
    await meanwhile(i / events.length)
  }
  await fence.end()
}
