/**
 * Lanes: each collector leases one, and its pages and rollups carry it, so one process writes each rollup and needs no
 * coordination with others (DESIGN §1, “Lanes”). Leases expire by the server's clock.
 *
 * A collector takes the lowest free lane, or a new one, renews it, and drains lanes whose holder is gone. A lane is free
 * when its lease has expired, or at once when a process of the same machine held it that has ended. The fence that makes
 * an adoption safe against a holder that only slept is `fence.ts`.
 */
import { type ClientSession, type Collection, type Db, type MongoServerError, UUID } from 'mongodb'
import { hasEnded, PLACE } from './holder.ts'
import { endTransactions } from './numbered.ts'

/** How long a lease lasts without being renewed, ms. */
export const LEASE_MS = 10_000

export interface LaneDocument {
  _id: number
  holder: string
  /** where the holder's process id counts (`holder.ts`) */
  place?: string
  epoch: number
  expires: Date
  /** id of the driver session under which the lane's raw events are inserted (`numbered.ts`) */
  sid: UUID
  /** the last settle number given */
  settled: number
  /** the last epoch that has raised its fence */
  fence?: number
  /** how often counts were changed other than by settling ({@link noteChange}) */
  changes?: number
}

/** A lane that this collector holds. `epoch` grows at every adoption, `settled` with every settled page. */
export interface Lane {
  readonly id: number
  readonly holder: string
  readonly sid: UUID
  epoch: number
  settled: number
}

/** The lane has another holder or epoch now: drop what is in memory and adopt anew. */
export class LaneLost extends Error {
  override name = 'LaneLost'
}

export const lanes = (db: Db): Collection<LaneDocument> => db.collection<LaneDocument>('lanes')

const adoption = (holder: string) => [
  {
    $set: {
      holder,
      place: PLACE,
      epoch: { $add: ['$epoch', 1] },
      expires: { $add: ['$$NOW', LEASE_MS] },
    },
  },
]
const OPTIONS = { returnDocument: 'after', writeConcern: { w: 'majority', journal: true } } as const

/**
 * Takes the lowest free lane, or makes the next one when all are held.
 * @param fits whether a free lane will do; any if absent
 */
export async function leaseLane(
  db: Db,
  holder: string,
  fits: (lane: number) => Promise<boolean> = async () => true,
): Promise<Lane> {
  for (;;) {
    for (const free of await freeLanes(db)) {
      const lane = (await fits(free._id)) ? await adopt(db, free, holder) : undefined
      if (lane) return lane
    }
    const [last] = await lanes(db).find().sort({ _id: -1 }).limit(1).toArray()
    // Expired at birth, so the next turn adopts it like any other lane.
    const lane: LaneDocument = {
      _id: (last?._id ?? -1) + 1,
      holder: '',
      epoch: 0,
      expires: new Date(0),
      sid: new UUID(),
      settled: 0,
    }
    await lanes(db).insertOne(lane).catch(ignoreDuplicate)
  }
}

/**
 * Adopts a lane whose holder is gone and that still has pages to settle or fold; `undefined` when there is none.
 * It is drained and then released, so restarts don't multiply lanes.
 */
export async function leaseOrphan(db: Db, holder: string): Promise<Lane | undefined> {
  for (const free of await freeLanes(db)) {
    const lane = (await hasWork(db, free._id)) ? await adopt(db, free, holder) : undefined
    if (lane) return lane
  }
  return undefined
}

const EXPIRED = { $lt: ['$expires', '$$NOW'] }

/** A lane that may be adopted. `ended`: its holder's process, whatever its lease says. */
type FreeLane = LaneDocument & { ended: boolean }

/** In their order. */
async function freeLanes(db: Db): Promise<FreeLane[]> {
  const all = await lanes(db)
    .aggregate<LaneDocument & { expired: boolean }>([{ $sort: { _id: 1 } }, { $set: { expired: EXPIRED } }])
    .toArray()
  return all
    .map(lane => ({ ...lane, ended: PLACE !== '' && lane.place === PLACE && hasEnded(lane.holder) }))
    .filter(({ ended, expired }) => ended || expired)
}

async function adopt(db: Db, { _id, sid, epoch, ended }: FreeLane, holder: string): Promise<Lane | undefined> {
  // What the last holder left open would keep the lane locked until the server gives it up, by default after a minute.
  await endTransactions(db, sid)
  const free = ended ? {} : { $expr: EXPIRED }
  const adopted = await lanes(db).findOneAndUpdate({ _id, epoch, ...free }, adoption(holder), OPTIONS)
  return adopted ? toLane(adopted, holder) : undefined
}

/** Whether a lane has pages that are not settled or not folded. */
export const hasWork = async (db: Db, lane: number): Promise<boolean> =>
  (await db.collection('journal').findOne({ lane, foldedAt: null }, { projection: { _id: 1 } })) !== null

/**
 * Adopts a lane that this collector holds once more, with a new epoch: after any error or unknown result, so that
 * pages tried before are known to be so.
 * @throws LaneLost when somebody else holds it
 */
export async function readopt(db: Db, lane: Lane): Promise<void> {
  await endTransactions(db, lane.sid)
  const again = await lanes(db).findOneAndUpdate({ _id: lane.id, holder: lane.holder }, adoption(lane.holder), OPTIONS)
  if (!again) throw new LaneLost(`lane ${lane.id} has another holder`)
  Object.assign(lane, toLane(again, lane.holder))
}

/** @throws LaneLost when somebody else holds it */
export async function renew(db: Db, lane: Lane): Promise<void> {
  const { matchedCount } = await lanes(db).updateOne({ _id: lane.id, holder: lane.holder, epoch: lane.epoch }, [
    { $set: { expires: { $add: ['$$NOW', LEASE_MS] } } },
  ])
  if (matchedCount !== 1) throw new LaneLost(`lane ${lane.id} has another holder`)
}

/** Gives the lane back, so that the next collector need not wait for the lease to expire. */
export async function release(db: Db, lane: Lane): Promise<void> {
  await lanes(db).updateOne({ _id: lane.id, holder: lane.holder }, { $set: { expires: new Date(0) } })
}

/** Says that counts are not what they were, though no page was settled: what was answered before is not to be shown again. */
export async function noteChange(db: Db): Promise<void> {
  await lanes(db).updateMany({}, { $inc: { changes: 1 } }, { writeConcern: OPTIONS.writeConcern })
}

/** How often that was. */
export async function readChanges(db: Db, session?: ClientSession): Promise<number> {
  const held = await lanes(db)
    .find({}, { projection: { changes: 1 }, ...(session && { session }) })
    .toArray()
  return held.reduce((sum, { changes = 0 }) => sum + changes, 0)
}

const toLane = ({ _id, sid, epoch, settled }: LaneDocument, holder: string): Lane => ({
  id: _id,
  holder,
  sid,
  epoch,
  settled,
})

const ignoreDuplicate = (error: MongoServerError) => {
  if (error.code !== 11000) throw error
}
