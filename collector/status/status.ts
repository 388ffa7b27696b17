import type { Db } from 'mongodb'
import type { StoredPage } from '../journal/index.ts'
import { type LaneDocument, lanes } from '../settle/index.ts'

export interface LaneStatus {
  lane: number
  /** host, process and start of the collector that holds it or held it last */
  holder: string
  /** whether its lease lasts */
  live: boolean
  epoch: number
  /** until its lease ends, s; negative since it has ended, `null` where it was given back */
  expiresIn: number | null
  /** the last settle number */
  settled: number
  /** pages that wait to be settled, their events, and how long the oldest has waited, s */
  open: { pages: number; events: number; lag: number }
  /** settled pages that wait to be folded */
  unfolded: number
}

export interface Status {
  /** whether every lane with work has a live holder */
  ok: boolean
  lanes: LaneStatus[]
  /** events that could not be stored and were set aside */
  parked: number
  /** events rejected in the last hour */
  rejected: number
}

type Work = { _id: number; pages: number; events: number; lag: number | null; unfolded: number }

const secondsTo = (date: string) => ({ $divide: [{ $subtract: [date, '$$NOW'] }, 1_000] })
const ifOpen = (value: unknown) => ({ $cond: [{ $eq: ['$state', 'open'] }, value, 0] })

/** All times are the server's: the clocks of collectors do not matter. */
export async function readStatus(db: Db): Promise<Status> {
  const [held, work, parked, rejected] = await Promise.all([
    lanes(db)
      .aggregate<LaneDocument & { left: number }>([{ $set: { left: secondsTo('$expires') } }, { $sort: { _id: 1 } }])
      .toArray(),
    db
      .collection<StoredPage>('journal')
      .aggregate<Work>([
        { $match: { foldedAt: null } },
        {
          $group: {
            _id: '$lane',
            pages: { $sum: ifOpen(1) },
            events: { $sum: ifOpen('$n') },
            // Of open pages only: the least of what is left.
            lag: { $min: ifOpen(secondsTo('$at')) },
            unfolded: { $sum: { $cond: [{ $eq: ['$state', 'open'] }, 0, 1] } },
          },
        },
      ])
      .toArray(),
    db.collection('parked').countDocuments(),
    db
      .collection('rejects')
      .aggregate<{ n: number }>([
        { $match: { $expr: { $gte: ['$at', { $subtract: ['$$NOW', 3_600_000] }] } } },
        { $group: { _id: null, n: { $sum: '$n' } } },
      ])
      .toArray(),
  ])
  const works = new Map(work.map(one => [one._id, one]))
  const ids = [...new Set([...held.map(({ _id }) => _id), ...works.keys()])].sort((a, b) => a - b)
  const all = ids.map(id =>
    laneStatus(
      id,
      held.find(({ _id }) => _id === id),
      works.get(id),
    ),
  )
  return {
    ok: all.every(({ live, open, unfolded }) => live || open.pages + unfolded === 0),
    lanes: all,
    parked,
    rejected: rejected[0]?.n ?? 0,
  }
}

const laneStatus = (
  lane: number,
  held: (LaneDocument & { left: number }) | undefined,
  work: Work | undefined,
): LaneStatus => ({
  lane,
  holder: held?.holder ?? '',
  live: (held?.left ?? 0) > 0,
  epoch: held?.epoch ?? 0,
  expiresIn: held && +held.expires > 0 ? tenths(held.left) : null,
  settled: held?.settled ?? 0,
  open: { pages: work?.pages ?? 0, events: work?.events ?? 0, lag: tenths(Math.max(0, -(work?.lag ?? 0))) },
  unfolded: work?.unfolded ?? 0,
})

const tenths = (seconds: number): number => Math.round(seconds * 10) / 10
