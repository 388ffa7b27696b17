/** Events and sessions of a site, as rows in their order. */
import type { Db, Document, FindCursor } from 'mongodb'
import type { Session } from '../settle/index.ts'
import { backfillOf, type Goal } from '../sites/index.ts'
import { type Columns, EVENT_COLUMNS, type Row, SESSION_COLUMNS } from './columns.ts'
import { BATCH, inOrder, type Ordered } from './in-order.ts'
import type { Place } from './place.ts'
import { eventRow, type StoredEvent, sessionId, sessionRow } from './rows.ts'

export const KINDS = ['events', 'sessions'] as const
export type Kind = (typeof KINDS)[number]
export const COLUMNS: Readonly<Record<Kind, Columns>> = { events: EVENT_COLUMNS, sessions: SESSION_COLUMNS }

export interface Asked {
  kind: Kind
  site: string
  /** ms; the end is not included */
  from: number
  to: number
  /** of the site: events have them also where they came before */
  goals?: readonly Goal[] | undefined
  /** conditions that all hold */
  match: Document[]
  /** what comes after this one */
  after?: Place | undefined
}

interface Source<T> extends Ordered<T> {
  rowOf(document: T): Row
}

/** Ending it closes what is being read. */
export function readRows(db: Db, asked: Asked): AsyncGenerator<Row[]> {
  return asked.kind === 'events' ? rows(events(db, asked), asked) : rows(sessions(db, asked), asked)
}

async function* rows<T>(source: Source<T>, { from, after }: Asked): AsyncGenerator<Row[]> {
  const begin = { time: from, id: '', name: '' }
  for await (const documents of inOrder(source, after && after.time >= from ? after : begin))
    if (documents.length > 0) yield documents.map(source.rowOf)
}

/**
 * Where the next part begins, ms, when this one has so many rows: a part ends between two milliseconds, so it has a few less,
 * or all of one ms. `undefined` where all of it is one part.
 */
export async function endOfPart(db: Db, asked: Asked, limit: number): Promise<number | undefined> {
  const [field, find] =
    asked.kind === 'events' ? (['ts', events(db, asked).from] as const) : (['start', sessions(db, asked).from] as const)
  const first = Math.max(asked.from, asked.after?.time ?? asked.from)
  const timeOf = async (skip: number): Promise<number | undefined> => {
    const cursor: FindCursor<Document> = find(first)
    const [found] = await cursor
      .project({ _id: 0, [field]: 1 })
      .skip(skip)
      .limit(1)
      .toArray()
    return found && +(found[field] as Date)
  }
  const end = await timeOf(limit)
  if (end === undefined) return undefined
  return end === (await timeOf(0)) ? end + 1 : end
}

/** Without a signal: a driver that drops a connection on which more is being read leaves the cursor open in mongod. */
const READING = { batchSize: BATCH, comment: 'livetag export', readConcern: { level: 'majority' } } as const

function events(db: Db, { site, from, to, goals, match }: Asked): Source<StoredEvent> {
  const backfill = backfillOf(goals, from)
  const collection = db.collection<StoredEvent>('events')
  const find = (ts: Document) => {
    const filter = { $and: [{ 'meta.site': site, ts }, ...match] } as object
    return collection.find(filter, { ...READING, projection: { _id: 0, page: 0, declared: 0 } })
  }
  return {
    from: time => find({ $gte: new Date(time), $lt: new Date(to) }).sort({ ts: 1 }),
    at: time =>
      find({ $eq: new Date(time) })
        .sort({ id: 1, 'meta.name': 1 })
        .allowDiskUse(true),
    placeOf: ({ ts, id, meta }) => ({ time: ts.getTime(), id, name: meta.name }),
    rowOf: event => eventRow(backfill ? backfill(event) : event),
  }
}

function sessions(db: Db, { site, to, match }: Asked): Source<Session> {
  const collection = db.collection<Session>('sessions')
  const find = (start: Document) => {
    const filter = { $and: [{ site, start }, ...match] } as object
    return collection.find(filter, { ...READING, projection: { steps: 0, expires: 0 } })
  }
  return {
    from: time => find({ $gte: new Date(time), $lt: new Date(to) }).sort({ start: 1 }),
    at: time =>
      find({ $eq: new Date(time) })
        .sort({ _id: 1 })
        .allowDiskUse(true),
    placeOf: session => ({ time: session.start.getTime(), id: sessionId(session), name: '' }),
    rowOf: sessionRow,
  }
}
