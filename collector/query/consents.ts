/** Proofs of consent, for the privacy officer: `GET /api/v2/consents`. */
import type { Db, Document, Filter } from 'mongodb'
import { type ConsentRecord, PURPOSES } from '../../consent/record.ts'

export interface ConsentQuery {
  site: string
  /** decided in this time, ms; the end is not included */
  from?: number | undefined
  to?: number | undefined
  /** of this visitor alone, with the withdrawals that are known to be theirs */
  visitor?: string | undefined
  /** of the last record that was given out: what comes after it */
  after?: Place | undefined
  /** at most so many; all if absent */
  limit?: number | undefined
}

/** Where a record lies in the order of all: by the time of the decision, then by id. */
export interface Place {
  decided: number
  id: string
}

/** A record as it is given out. */
export interface ConsentAnswer {
  id: string
  schema: number
  site: string
  /** pseudonym of the subject, where one may be named */
  visitor: string | null
  view: string
  decided: string
  received: string
  purposes: Record<(typeof PURPOSES)[number], 'granted' | 'refused'>
  signal: string
  version: string | null
  method: string
  gpc: boolean
  jurisdiction: string
  /** whether it grants nothing where an earlier one did */
  withdrawal: boolean
  /**
   * the earlier record that it takes the place of: the visitor's last one. A withdrawal names no visitor, so its is the last
   * one of its page view; `null` where there is none
   */
  supersedes: string | null
  /** until when it is kept */
  expires: string
}

/** In their order. The cursor reads as it is asked, so that an export of any size takes little memory. */
export async function* readConsents(db: Db, query: ConsentQuery): AsyncGenerator<ConsentAnswer> {
  const consents = db.collection<ConsentRecord>('consents')
  const { site, from, to, visitor, after, limit } = query
  const parts: Filter<ConsentRecord>[] = [{ site }]
  if (from !== undefined) parts.push({ decided: { $gte: new Date(from) } })
  if (to !== undefined) parts.push({ decided: { $lt: new Date(to) } })
  if (after) {
    const decided = new Date(after.decided)
    parts.push({ decided: { $gte: decided } }, { $or: [{ decided: { $gt: decided } }, { _id: { $gt: after.id } }] })
  }
  if (visitor !== undefined) {
    const views = await consents.distinct('view', { site, visitor })
    parts.push({ $or: [{ visitor }, { visitor: { $exists: false }, view: { $in: views } }] })
  }
  const pipeline: Document[] = [{ $match: { $and: parts } }, { $sort: { decided: 1, _id: 1 } }]
  if (limit !== undefined) pipeline.push({ $limit: limit })
  pipeline.push(before('visitor'), before('view'))
  const found = consents.aggregate<Found>(pipeline, { readConcern: { level: 'majority' }, allowDiskUse: true })
  for await (const record of found) yield toAnswer(record)
}

interface Found extends ConsentRecord {
  ofVisitor: Earlier[]
  ofView: Earlier[]
}
type Earlier = Pick<ConsentRecord, '_id' | 'decided' | 'granted'>

/** The last record before, of the same visitor or page view: found when it is asked for, as events arrive in any order. */
const before = (field: 'visitor' | 'view'): Document => ({
  $lookup: {
    from: 'consents',
    // Where there is no visitor, none has an empty name: asked for what is missing, mongod would read all of the site.
    let: { site: '$site', its: { $ifNull: [`$${field}`, ''] }, decided: '$decided', id: '$_id' },
    pipeline: [
      {
        $match: {
          $expr: {
            $and: [
              { $eq: ['$site', '$$site'] },
              { $eq: [`$${field}`, '$$its'] },
              { $lte: ['$decided', '$$decided'] },
              { $or: [{ $lt: ['$decided', '$$decided'] }, { $lt: ['$_id', '$$id'] }] },
            ],
          },
        },
      },
      { $sort: { decided: -1, _id: -1 } },
      { $limit: 1 },
      { $project: { decided: 1, granted: 1 } },
    ],
    as: field === 'visitor' ? 'ofVisitor' : 'ofView',
  },
})

function toAnswer(record: Found): ConsentAnswer {
  const { _id, schema, site, visitor, view, decided, received, granted, signal, version, method } = record
  const [earlier] = [...record.ofVisitor, ...record.ofView].sort((a, b) => +b.decided - +a.decided)
  return {
    id: _id,
    schema,
    site,
    visitor: visitor ?? null,
    view,
    decided: decided.toISOString(),
    received: received.toISOString(),
    purposes: Object.fromEntries(
      PURPOSES.map(purpose => [purpose, granted.includes(purpose) ? 'granted' : 'refused']),
    ) as ConsentAnswer['purposes'],
    signal,
    version: version ?? null,
    method,
    gpc: record.gpc === true,
    jurisdiction: record.jurisdiction,
    withdrawal: granted.length === 0 && (earlier?.granted.length ?? 0) > 0,
    supersedes: earlier?._id ?? null,
    expires: record.expires.toISOString(),
  }
}

/** A place as an opaque text, and back; `undefined` for any other text. */
export const toCursor = ({ decided, id }: Pick<ConsentAnswer, 'decided' | 'id'>): string =>
  Buffer.from(`${Date.parse(decided)} ${id}`).toString('base64url')

export function fromCursor(text: string): Place | undefined {
  const [, decided, id] = /^(\d{1,15}) (.+)$/s.exec(Buffer.from(text, 'base64url').toString()) ?? []
  return decided === undefined || id === undefined ? undefined : { decided: Number(decided), id }
}
