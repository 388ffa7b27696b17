/** The lane of a history: leased as a collector leases one, and given back. */
import type { Db } from 'mongodb'
import { createHolder, hasWork, type Lane, LEASE_MS, lanes, leaseLane, renew } from '../settle/index.ts'
import type { Site } from '../sites/index.ts'

/** A lane that no page waits in and that has no rollups of the site, so that each of them is written once. */
export const leaseOwn = (db: Db, { key: site }: Site): Promise<Lane> =>
  leaseLane(
    db,
    createHolder(),
    async lane => !(await hasWork(db, lane)) && (await db.collection('rollups').findOne({ site, lane })) === null,
  )

/** One settle number stands for the whole history: what is settled later on this lane comes after it. */
export async function takeNumber(db: Db, { id: _id, holder, epoch }: Lane): Promise<number> {
  const lane = await lanes(db).findOneAndUpdate(
    { _id, holder, epoch },
    { $inc: { settled: 1 } },
    { returnDocument: 'after' },
  )
  if (!lane) throw new Error(`lane ${_id} has another holder`)
  return lane.settled
}

/** Renews the lease; `check` throws when that has failed. */
export function keepLane(db: Db, lane: Lane) {
  let failure: unknown
  const timer = setInterval(() => {
    renew(db, lane).catch(error => {
      failure = error
    })
  }, LEASE_MS / 3)
  return {
    check() {
      if (failure !== undefined) throw failure
    },
    end: () => clearInterval(timer),
  }
}
