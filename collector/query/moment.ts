/**
 * What the answers of one moment stand on. An answer that was made at an earlier moment is still right when no page of the
 * site was settled since that counts anything before the answer's end: each page says what it counts, and its settle number
 * is the lane's next one, so that it is known whether all of them were looked at.
 */
import type { ClientSession, Db, Document } from 'mongodb'
import type { StoredPage } from '../journal/index.ts'
import { lanes } from '../settle/index.ts'
import { reading } from './reading.ts'

export interface Moment {
  /** when it was read, ms since the epoch, by the clock that folding notes its times by */
  at: number
  /** everything received before is settled, ms since the epoch: when the oldest page arrived that is not, if there is one */
  oldest: number | undefined
  /** the last settle number of each lane */
  settled: ReadonlyMap<number, number>
  /** how often counts were changed other than by settling */
  changes: number
}

/** What an answer stands on. */
export interface Basis {
  site: string
  /** where its ranges end, ms since the epoch. A session that begins before is counted before, whatever is added to it. */
  to: number
}

/** Pages that are looked at to find out whether an answer still holds: more are not worth it. */
const MOST_PAGES = 500
/** The clocks of collectors differ by less, ms; where they do not, an answer is made anew for nothing. */
const APART_MS = 60_000

/** All in a snapshot session, so that what is received before `oldest` is settled with a number in `settled`. */
export async function readMoment(db: Db, session: ClientSession): Promise<Moment> {
  const at = Date.now()
  const options = { session, ...reading() }
  const settled = new Map<number, number>()
  let changes = 0
  const projection = { settled: 1, changes: 1 }
  for await (const lane of lanes(db).find({}, { ...options, projection })) {
    settled.set(lane._id, lane.settled)
    changes += lane.changes ?? 0
  }
  const [oldest] = await db
    .collection<StoredPage>('journal')
    .find({ lane: { $in: [...settled.keys()] }, state: 'open' }, { ...options, projection: { at: 1 } })
    .sort({ _id: 1 })
    .limit(1)
    .toArray()
  return { at, oldest: oldest && +oldest.at, settled, changes }
}

/** Whether all that was counted at one of these moments was at the other. */
export const isSameCount = (one: Moment, other: Moment): boolean =>
  one.changes === other.changes &&
  one.settled.size === other.settled.size &&
  [...one.settled].every(([lane, settled]) => other.settled.get(lane) === settled)

/** Whether what was read at `before` or later is what would be read `now`; `false` also where it is not worth to find out. */
export async function stillHolds(
  db: Db,
  { site, to }: Basis,
  before: Moment,
  now: Moment,
  signal: AbortSignal,
): Promise<boolean> {
  if (before.changes !== now.changes) return false
  const since = new Date(before.at - APART_MS)
  let pages = 0
  const spans = [...now.settled].flatMap(([lane, last]): Document[] => {
    const first = before.settled.get(lane) ?? 0
    if (last <= first) return []
    pages += last - first
    const settled = { $gt: first, $lte: last }
    return [
      { lane, foldedAt: null, settled },
      { lane, foldedAt: { $gte: since }, settled },
    ]
  })
  if (pages === 0) return true
  if (pages > MOST_PAGES) return false
  const counts = (field: string): Document => ({
    $anyElementTrue: {
      $map: {
        input: { $ifNull: [`$${field}`, []] },
        as: 'one',
        in: { $and: [{ $eq: ['$$one.site', { $literal: site }] }, { $lt: ['$$one.at', to] }] },
      },
    },
  })
  const [found] = await db
    .collection('journal')
    .aggregate<{ pages: number; touched: boolean }>(
      [
        { $match: { $or: spans } },
        {
          $group: {
            _id: null,
            pages: { $sum: 1 },
            touched: { $max: { $or: [counts('deltas'), counts('hours')] } },
          },
        },
      ],
      { ...reading(signal), readConcern: { level: 'majority' } },
    )
    .toArray()
  return found !== undefined && !found.touched && found.pages === pages
}
