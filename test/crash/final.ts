/** What has to hold when all rounds are over, of the deployment as a whole. */
import { TEST_SITE } from '../../collector/settle/index.ts'
import { type BlocksLeft, sweepBlocks } from './blocks-left.ts'
import { compareAllBlocks, compareClosed, compareSketches } from './closed.ts'
import type { Deployment } from './deployment.ts'
import { until } from './until.ts'

/** How long it may take until more of what was sent is in days, weeks, months, sketches and blocks, ms. */
const CLOSED_MS = 180_000
/** To look takes seconds of the processor that builds them, ms. */
const BETWEEN_MS = 3_000

/** bytes that a collector may take */
export const MOST_MEMORY = 400 * 1024 ** 2
/** Lanes beyond one a collector: a lease that was not given back is held for 10 s, so restarts within that time make some. */
const MOST_LANES = 12

/** bytes of the largest collector; those that do not answer are left out */
export async function largestMemory({ collectors }: Deployment): Promise<number> {
  const late = new Promise<number>(resolve => setTimeout(resolve, 2_000, 0).unref())
  const sizes = collectors.map(collector => Promise.race([collector.memory(), late]).catch(() => 0))
  return Math.max(...(await Promise.all(sizes)))
}

/** What is left of blocks at the end. */
export interface BlocksAtEnd extends BlocksLeft {
  wrong: number
  /** days with events that have no blocks that hold */
  stale: number
}

/**
 * Ends the collectors.
 * @param stored events by site, as they were when the site was checked
 */
export async function checkAll(
  { db, collectors }: Deployment,
  stored: Map<string, number>,
): Promise<{ faults: string[]; blocks?: BlocksAtEnd }> {
  const faults = collectors.flatMap(({ crashes }) => crashes)
  const now = await db
    .collection('events')
    .aggregate<{ _id: string; n: number }>([
      // A self-test that was killed leaves its event to those that come an hour later.
      { $match: { 'meta.site': { $ne: TEST_SITE } } },
      { $group: { _id: '$meta.site', n: { $sum: 1 } } },
    ])
    .toArray()
  for (const { _id, n } of now) {
    const then = stored.get(_id)
    if (then !== n) faults.push(`${_id} had ${then} events when it was checked and has ${n} at the end`)
  }
  const lanes = await db.collection('lanes').countDocuments()
  const most = collectors.length + MOST_LANES
  if (lanes > most) faults.push(`there are ${lanes} lanes, more than ${most}`)
  const open = await db.collection('journal').countDocuments({ foldedAt: null })
  if (open > 0) faults.push(`${open} pages of the journal are not settled and folded`)
  const parked = await db.collection('parked').countDocuments()
  if (parked > 0) faults.push(`${parked} events were parked as if they could not be stored`)
  if (faults.length > 0) return { faults }
  const begun = performance.now()
  let [wrong, better]: [string[], number] = [[], begun]
  let blocks: { wrong: string[]; stale: string[] } = { wrong: [], stale: [] }
  const closed = async () => {
    const before = wrong.length
    blocks = await compareAllBlocks(db)
    wrong = [...(await compareClosed(db)), ...(await compareSketches(db)), ...blocks.wrong, ...blocks.stale]
    if (wrong.length < before) better = performance.now()
    return wrong.length === 0
  }
  const limit = () => better - begun + CLOSED_MS
  await until('days, weeks, months, sketches and blocks', limit, closed, BETWEEN_MS).catch(error =>
    faults.push(error.message, ...wrong.slice(0, 5)),
  )
  // Who is at work puts away what it has begun.
  await Promise.all(collectors.map(collector => collector.end('SIGTERM')))
  const left = await sweepBlocks(db.client.db(db.databaseName))
  if (left.orphans > 0) faults.push(`${left.orphans} versions of blocks belong to no manifest`)
  if (left.damaged > 0) faults.push(`of ${left.damaged} manifests there are not all columns`)
  return { faults, blocks: { ...left, wrong: blocks.wrong.length, stale: blocks.stale.length } }
}
