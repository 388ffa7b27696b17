/** How far back MongoDB's oplog reaches: so long what was deleted, such as the salts of cookieless visitors, can be read there. */
import type { MongoClient } from 'mongodb'

export interface Oplog {
  /** from its oldest entry to its newest, ms */
  reachesMs: number
  /** share of its size that is in use, 0 to 1: the oldest entries go only when it is full */
  filled: number
}

/** Of the replica set's member that answers; `undefined` where the user may not read it, and on a sharded cluster. */
export async function readOplog(client: MongoClient): Promise<Oplog | undefined> {
  const oplog = client.db('local').collection<{ wall: Date }>('oplog.rs')
  const edge = (direction: 1 | -1) =>
    oplog.findOne({}, { sort: { $natural: direction }, projection: { _id: 0, wall: 1 }, timeoutMS: 5_000 })
  try {
    const [first, last, [stats]] = await Promise.all([
      edge(1),
      edge(-1),
      oplog
        .aggregate<{ storageStats: Record<'size' | 'maxSize', number> }>([{ $collStats: { storageStats: {} } }])
        .toArray(),
    ])
    if (!first || !last || !stats) return undefined
    const { size, maxSize } = stats.storageStats
    return { reachesMs: Math.max(0, +last.wall - +first.wall), filled: Math.min(1, size / maxSize) }
  } catch {
    return undefined
  }
}
