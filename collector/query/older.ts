/** Whether some of a range is from before hours were counted. */
import { LRUCache } from 'lru-cache'
import type { ClientSession, Db } from 'mongodb'
import type { Session } from '../settle/index.ts'
import { once } from '../store/index.ts'
import type { Ask } from './engine.ts'
import { reading } from './reading.ts'

const DAY_MS = 86_400_000
/** Sessions looked at for whether there were hours when they began. */
const LOOKED_AT = 20
/** Sites of which it is known, and for how long, ms: another history may be put in the place of theirs. */
const HELD = { max: 10_000, ttl: 10 * 60_000 }

/**
 * The earliest sessions tell: those of before have no host until they change. What comes late has one, so where a range is
 * not older, no later one is.
 */
export function createOlder(db: Db): (ask: Ask, session: ClientSession) => Promise<boolean> {
  /** begin of the earliest range that is known not to be older, ms, by site */
  const counted = new LRUCache<string, number>(HELD)
  return async ({ site, range }, session) => {
    if (range.from >= (counted.get(site.key) ?? Number.POSITIVE_INFINITY)) return false
    const start = { $gte: new Date(range.from - DAY_MS), $lt: new Date(range.to) }
    const read = async () =>
      await db
        .collection<Session>('sessions')
        .find({ site: site.key, start }, { ...reading(), session, projection: { _id: 0, host: 1 } })
        .sort({ start: 1 })
        .limit(LOOKED_AT)
        .toArray()
    const earliest = await once({ session }, `earliest ${site.key} ${range.from} ${range.to}`, read)
    const isOlder = earliest.some(({ host }) => host === undefined)
    if (!isOlder && earliest.length > 0) counted.set(site.key, range.from)
    return isOlder
  }
}
