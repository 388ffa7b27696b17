/** A site whose events are settled and folded on two lanes, and whose days are closed, when a test says so. */
import { expect } from 'vitest'
import {
  HOUR_DIMENSIONS,
  type HourDimension,
  type JournalEvent,
  type StoredPage,
  toStored,
} from '../../collector/journal/index.ts'
import { findClosed } from '../../collector/rollup/closed.ts'
import {
  type ClosedDocument,
  type ClosedGrain,
  createCloser,
  createFolder,
  type Hours,
  type Pace,
  type RollupDocument,
  readHours,
  type TouchDocument,
} from '../../collector/rollup/index.ts'
import { settleBatch } from '../../collector/settle/batch.ts'
import { leaseLane, raiseFence, type ZoneOf } from '../../collector/settle/index.ts'
import { addSite } from '../../collector/sites/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const SITE = 'shop'
/** Nothing is waited for. */
const AT_ONCE: Pace = { every: 0, first: 0, later: 0 }

export async function deploy(timezone = 'UTC', { knows = true } = {}) {
  const { db, client, drop } = await freshDatabase()
  await ensureCollections(db)
  // What happens here is older than it would be kept.
  for (const name of ['sessions', 'rollups', 'touch']) await db.collection(name).dropIndex('expires_1')
  await addSite(db, { key: SITE, domain: 'shop.example', consent: 'none', timezone })
  let zone = timezone
  const zoneOf: ZoneOf = () => zone
  const lanes = await Promise.all(
    ['one', 'two'].map(async name => {
      const lane = await leaseLane(db, name)
      const folder = createFolder(db, lane, knows ? zoneOf : undefined)
      return { lane, folder, fence: await raiseFence(db, lane) }
    }),
  )
  let made = 0
  const rollups = db.collection<RollupDocument>('rollups')
  const closed = db.collection<ClosedDocument>('rollups')
  const journal = db.collection<StoredPage>('journal')

  const laneOf = (n: number) => {
    const held = lanes[n]
    if (!held) throw new Error(`there is no lane ${n}`)
    return held
  }
  const fold = async (n = 0) => {
    while ((await laneOf(n).folder.fold()) > 0);
  }
  /** Events of these times are settled as one page of a lane, and folded by default. */
  const take = async (
    times: (number | string)[],
    change: Partial<JournalEvent> | ((n: number) => Partial<JournalEvent>) = {},
    { lane: n = 0, folded = true } = {},
  ): Promise<void> => {
    const { lane, fence } = laneOf(n)
    const events = times.map((ts, i) => {
      const id = `e${made++}`
      const own = typeof change === 'function' ? change(i) : change
      return journalEvent({ id, session: `s${id}`, ts: new Date(ts), ...own })
    })
    const page = openPage(events, { lane: lane.id, epoch: lane.epoch })
    await journal.insertOne(toStored(page))
    await settleBatch({ db, lane, fence, pages: [page], zoneOf })
    if (folded) await fold(n)
  }
  const closer = (now: number | string, pace: Pace = AT_ONCE) => createCloser({ db, now: () => +new Date(now), pace })
  const close = (...given: Parameters<typeof closer>) => closer(...given)()

  interface Read {
    from: number | string
    to: number | string
    dims?: readonly HourDimension[]
    grains?: ClosedGrain[]
    bucketOf?: (at: number) => number
  }
  /**
   * Counts of a time, after it is made sure that they are the same whether days, weeks and months are read or hours alone.
   * `closed` are the documents that were taken, in days.
   */
  const read = async ({
    from,
    to,
    dims = HOUR_DIMENSIONS,
    grains = ['month', 'week', 'day'],
    bucketOf = () => 0,
  }: Read) => {
    const range = { site: SITE, dims, from: +new Date(from), to: +new Date(to), bucketOf }
    return await client.withSession({ snapshot: true }, async session => {
      const hours = await readHours(db, range, session)
      const counts = await readHours(db, { ...range, closed: grains }, session)
      expect(counts).toEqual(hours)
      const all = { ...range, grains, fits: (a: number, b: number) => bucketOf(a) === bucketOf(b - 1) }
      const taken = await findClosed(db, all, { session })
      return { hours: counts, closed: taken.map(({ from, to }) => (to - from) / DAY) }
    })
  }
  return {
    db,
    client,
    drop,
    rollups,
    closed,
    journal,
    touch: db.collection<TouchDocument>('touch'),
    take,
    fold,
    closer,
    close,
    read,
    events: ({ hours }: { hours: Map<HourDimension, Hours> }) => hours.get('total')?.get(0)?.get('')?.[0] ?? 0,
    async moveTo(next: string) {
      zone = next
      await db.collection<{ _id: string }>('sites').updateOne({ _id: SITE }, { $set: { timezone: next } })
    },
  }
}
export type Deployment = Awaited<ReturnType<typeof deploy>>
