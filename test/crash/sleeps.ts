/** Collectors that sleep past their lease, and wake when another one works on their lane. */
import type { Collection } from 'mongodb'
import type { CollectorProcess } from './collectors.ts'
import type { Deployment } from './deployment.ts'
import { until } from './until.ts'

/** A lease lasts 10 s, and others look for orphans every 5 s; ms. */
const ADOPTED_MS = 17_000
/** How long until it comes to a point that it passes for each batch, ms. */
const POINT_MS = 5_000
/** How long what was woken may take to do what it was about to, ms. */
const AWAKE_MS = 5_000

interface HeldLane {
  _id: number
  holder: string
  settled: number
}

const lanesOf = ({ db }: Deployment): Collection<HeldLane> => db.collection<HeldLane>('lanes')
/** A holder is `<host>:<pid>:<time>`. */
const heldBy = ({ pid }: CollectorProcess) => ({ holder: { $regex: `:${pid}:` } })

/** Woken as soon as another collector has its lane: that is when both could work on it. */
export async function sleepPastLease(deployment: Deployment, which: number): Promise<void> {
  const lanes = lanesOf(deployment)
  await asleep(deployment, which, undefined, async lane => {
    await until(
      'the lane is adopted',
      ADOPTED_MS,
      async () => (await lanes.findOne({ _id: lane._id }))?.holder !== lane.holder,
    )
  })
}

/** @returns whether it was stopped just then */
export function insertLate(deployment: Deployment, which: number): Promise<boolean> {
  const journal = deployment.db.collection('journal')
  const lanes = lanesOf(deployment)
  return asleep(deployment, which, 'insert', async lane => {
    await until('another one settles', ADOPTED_MS, async () => {
      if ((await lanes.findOne({ _id: lane._id }))?.holder === lane.holder) return false
      return (await journal.countDocuments({ lane: lane._id, state: 'open' })) === 0
    })
  })
}

/** @returns whether both were stopped just then */
export async function commitLate(deployment: Deployment, which: number): Promise<boolean> {
  const lanes = lanesOf(deployment)
  const others = deployment.collectors.filter((_, i) => i !== which && deployment.collectors[i]?.life !== undefined)
  const releaseAll = () => {
    for (const other of others) other.release()
  }
  try {
    let before: HeldLane | undefined
    const stopped = await asleep(deployment, which, 'commit', async lane => {
      before = lane
      await Promise.any(others.map(other => other.hold('adopted', ADOPTED_MS, lane._id)))
    })
    if (!stopped || !before) return false
    const { _id, settled } = before
    const collector = deployment.collectors[which]
    await until('it settles, or finds out', AWAKE_MS, async () => {
      if (((await lanes.findOne({ _id }))?.settled ?? 0) > settled) return true
      return collector && (await lanes.findOne({ _id: { $ne: _id }, ...heldBy(collector) })) !== null
    })
    return true
  } catch {
    return false
  } finally {
    releaseAll()
  }
}

/**
 * Stops a collector that holds a lane, at a point where one is named, and wakes it when that is done.
 * @returns whether all went as it was meant to
 */
async function asleep(
  deployment: Deployment,
  which: number,
  at: 'insert' | 'commit' | undefined,
  meanwhile: (lane: HeldLane) => Promise<void>,
): Promise<boolean> {
  const collector = deployment.collectors[which]
  if (!collector) return false
  try {
    if (at) await collector.hold(at, POINT_MS)
    collector.signal('SIGSTOP')
    const lane = await lanesOf(deployment).findOne(heldBy(collector), { sort: { _id: 1 } })
    if (!lane) return false
    await meanwhile(lane)
    return true
  } catch {
    // Nothing was left to adopt, or mongod was away: it has slept for long all the same.
    return false
  } finally {
    collector.release()
    collector.signal('SIGCONT')
  }
}
