/** A healthy deployment: sites, lanes, hours and sessions, settled and folded as collectors do it. */
import type { Document } from 'mongodb'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { type JournalEvent, type JournalPage, type StoredPage, toStored } from '../../collector/journal/index.ts'
import { createFolder, type RollupDocument } from '../../collector/rollup/index.ts'
import { settleBatch } from '../../collector/settle/batch.ts'
import { type Lane, leaseLane, type RawEvent, raiseFence, type Session } from '../../collector/settle/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type Found, type Report, verify } from '../../collector/verify/index.ts'
import { seeded } from '../crash/seeded.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

export const HOUR = 3_600_000
/** Two hours before the hour that runs: nothing of it is in the future. */
export const LAST = Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR

/** @param database where it is made; one of its own if absent */
export async function deploy(database?: Pick<FreshDatabase, 'db' | 'client' | 'drop'>) {
  const { db, client, drop } = database ?? (await freshDatabase())
  await ensureCollections(db)
  const lanes: Lane[] = [await leaseLane(db, 'one'), await leaseLane(db, 'two')]
  const fences = await Promise.all(lanes.map(lane => raiseFence(db, lane)))
  const journal = db.collection<StoredPage>('journal')

  /** Takes events as one page of a lane: settled, and folded by default. */
  const take = async (events: JournalEvent[], { lane = 0, fold = true } = {}): Promise<JournalPage> => {
    const [held, fence] = [lanes[lane], fences[lane]]
    if (!held || !fence) throw new Error(`there is no lane ${lane}`)
    const page = openPage(events, { lane: held.id, epoch: held.epoch })
    await journal.insertOne(toStored(page))
    await settleBatch({ db, lane: held, fence, pages: [page] })
    if (fold) await createFolder(db, held).fold()
    return page
  }
  const run = (options: { repair?: boolean; site?: string } = {}): Promise<Report> =>
    verify({ client, db, began: Date.now(), ...options })
  return {
    db,
    client,
    lanes,
    drop,
    take,
    verify: run,
    /** What is found, shortly. */
    found: async () => (await run()).found.map(shortly),
    journal,
    events: db.collection<RawEvent>('events'),
    sessions: db.collection<Session>('sessions'),
    rollups: db.collection<RollupDocument>('rollups'),
    seen: db.collection<Document & { _id: string }>('seen'),
    audit: db.collection('audit'),
    buckets: db.collection('system.buckets.events'),
    /** The journal as a quarter of an hour later. */
    forgetPages: () => journal.deleteMany({ foldedAt: { $type: 'date' } }),
  }
}
export type Deployment = Awaited<ReturnType<typeof deploy>>

/** The document, which is there. */
export const one = <T>(document: T | null | undefined): T => {
  if (!document) throw new Error('there is one')
  return document
}

/** It is found alone, mended once, in one audit document, and gone. */
export async function mends(it: Deployment, kind: string, site: string, id: string) {
  const only = { kind, site, id, repairable: true }
  expect(await it.found()).toEqual([only])
  const { ok, found, repaired } = await it.verify({ repair: true })
  expect([ok, found.map(shortly), repaired.map(shortly)]).toEqual([true, [only], [only]])
  const audits = await it.audit.find().toArray()
  expect(audits).toMatchObject([{ kind, site, what: id, at: expect.any(Date) }])
  return { before: audits[0]?.before, after: audits[0]?.after }
}

export const shortly = ({ kind, site, id, repairable }: Found) => ({ kind, site, id, repairable })

/** Events of `count` visits over six hours, in the order in which they came: not in that of their time. */
export function visits(site: string, count: number, seed = 1): JournalEvent[] {
  const random = seeded(seed)
  const events = Array.from({ length: count }, (_, visit) => {
    const from = LAST - 5 * HOUR + Math.floor(random() * 6 * HOUR * 0.9)
    const session = random() < 0.9 ? `s${visit}` : undefined
    return Array.from({ length: 1 + Math.floor(random() * 12) }, (_, q) => {
      const name = ['pageview', 'click', 'scroll', 'purchase'][q === 0 ? 0 : Math.floor(random() * 4)] ?? 'click'
      const goals = visit % 3 === 0 ? ['Order', 'Third order'] : ['Order']
      const worth = q % 2 === 0 ? { revenue: 1_005 * q, currency: 'EUR' } : {}
      const own = name === 'purchase' ? ({ own: true, goals, ...worth } as const) : {}
      const id = 'own' in own ? `order-${seed}-${visit}-${q}` : `w${seed}x${visit}.${q}`
      const ts = new Date(from + Math.floor(random() * 1_800_000))
      const path = `/p/${Math.floor(random() ** 3 * 40)}`
      const counted = { declared: ['plan', 'n'], props: { plan: visit % 2 ? 'pro' : null, n: q } }
      return journalEvent({
        site,
        id,
        name,
        session,
        ts,
        path,
        ...own,
        ...counted,
        ...(visit % 50 === 0 && { bot: 'x' }),
      })
    })
  }).flat()
  return events
    .map(event => ({ event, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ event }) => event)
}

/** As collectors would: in pages, in turn on two lanes, some of them sent twice. */
export async function fill({ take }: Deployment, site: string, count: number, seed?: number): Promise<number> {
  const all = visits(site, count, seed)
  for (let i = 0; i < all.length; i += 150) {
    const events = all.slice(i, i + 150)
    await take([...events, ...events.slice(0, 3)], { lane: (i / 150) % 2 })
    if (i === 300) await take(events, { lane: 1 })
  }
  return all.length
}

/**
 * For the tests of a file: two sites with events, made once. After each test a second look finds nothing.
 * @param made called with it before the first test
 */
export function useDeployment(made: (deployment: Deployment) => void): void {
  let it: Deployment
  beforeAll(async () => {
    it = await deploy()
    await fill(it, 'shop', 150)
    await fill(it, 'blog', 40, 2)
    made(it)
  })
  afterAll(() => it.drop())
  beforeEach(() => it.audit.deleteMany({}))
  afterEach(async () => expect(await it.verify()).toMatchObject({ ok: true, found: [], repaired: [] }))
}
