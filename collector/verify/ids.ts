/** Ids: each claimed event is in the raw record, once. Finds `event-doubled`, `event-lost` and `seen-orphan`. */
import type { ClientSession, ObjectId } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { fromStored, type StoredPage } from '../journal/index.ts'
import { claimKey, type RawEvent } from '../settle/index.ts'
import { type Claim, cover, keysOf, type Raw } from './claims.ts'
import { inGroups } from './groups.ts'
import { doubledFault, goneFault, lostFault, orphanFault } from './id-faults.ts'
import type { Fault } from './kinds.ts'
import { atOneMoment, LATE_MS, type Scope } from './scope.ts'

/** An id that has not one event a claim. `from` is the first that may be of it. */
interface Suspect {
  _id: string
  keys: string[]
  from: Date
}

/** Ids looked at together. */
const TOGETHER = 500

/** `<site>:<id>` or `<site>:!<name>:<id>`, see `claimKey`. */
const KEY = /^([^:]*):(?:!([^:]*):)?(.*)$/s

export async function* checkIds(scope: Scope, site: string): AsyncGenerator<Fault> {
  for await (const suspects of inGroups(findSuspects(scope, site), TOGETHER)) yield* await judge(scope, site, suspects)
}

/** Sorted out by the server, which may use its disk: here only what looks wrong arrives. */
const findSuspects = ({ db, began }: Scope, site: string) =>
  db.collection<RawEvent>('events').aggregate<Suspect>(
    [
      { $match: { 'meta.site': site, ts: { $lte: new Date(began) } } },
      { $project: { _id: 0, id: 1, page: 1, ts: 1, n: { $literal: 1 } } },
      {
        $unionWith: {
          coll: 'seen',
          pipeline: [
            { $match: { _id: { $gte: `${site}:`, $lt: `${site};` }, at: { $not: { $gt: new Date(began) } } } },
            { $set: { parts: { $regexFind: { input: '$_id', regex: KEY } }, from: { $subtract: ['$at', LATE_MS] } } },
            { $project: { _id: 0, id: { $last: '$parts.captures' }, key: '$_id', claim: '$page', ts: '$from' } },
          ],
        },
      },
      {
        $group: {
          _id: '$id',
          n: { $sum: '$n' },
          pages: { $addToSet: '$page' },
          claims: { $addToSet: '$claim' },
          keys: { $addToSet: '$key' },
          from: { $min: '$ts' },
        },
      },
      { $match: { $expr: { $or: [{ $gt: ['$n', 1] }, { $not: { $setIsSubset: ['$claims', '$pages'] } }] } } },
    ],
    { allowDiskUse: true, readConcern: { level: 'majority' } },
  )

const judge = (scope: Scope, site: string, suspects: Suspect[]): Promise<Fault[]> =>
  atOneMoment(scope, site, async ({ session }) => {
    const { db } = scope
    const from = new Date(Math.min(...suspects.map(({ from }) => +from)))
    const events = new Map<string, Raw[]>()
    const claims = new Map<string, Claim[]>()
    const keys = new Set(suspects.flatMap(({ keys }) => keys))
    const raw = db
      .collection<Raw>('events')
      .find(
        { 'meta.site': site, ts: { $gte: from }, id: { $in: suspects.map(({ _id }) => _id) } },
        { session, projection: { ts: 1, meta: 1, id: 1, page: 1 } },
      )
      .sort({ _id: 1 })
    for await (const event of raw) {
      getOrAdd(events, event.id, () => []).push(event)
      for (const key of keysOf(event)) keys.add(key)
    }
    for await (const claim of db.collection<Claim>('seen').find({ _id: { $in: [...keys] } }, { session }))
      getOrAdd(claims, KEY.exec(claim._id)?.[3] ?? '', () => []).push(claim)
    const covers = suspects.map(({ _id }) => cover(events.get(_id) ?? [], claims.get(_id) ?? []))
    const bare = covers.flatMap(({ bare }) => bare)
    return [
      ...covers.flatMap(({ extras }) => extras).map(extra => doubledFault(scope, site, extra)),
      ...(bare.length > 0 ? await judgeBare(scope, site, bare, session) : []),
    ]
  })

/** Claims without an event: of a page that waits, of an event that was set aside, lost, or of nothing at all. */
async function judgeBare(scope: Scope, site: string, bare: Claim[], session: ClientSession): Promise<Fault[]> {
  const { db } = scope
  const ids = bare.map(({ page }) => page)
  const states = new Map<string, string>()
  const journal = db.collection<StoredPage>('journal')
  for await (const { _id, state } of journal.find({ _id: { $in: ids } }, { session, projection: { state: 1 } }))
    states.set(String(_id), state)
  const parked = await db
    .collection<{ _id: string }>('parked')
    .find({ _id: { $in: bare.map(({ _id, page }) => `${page}:${_id}`) } }, { session, projection: { _id: 1 } })
    .toArray()
  const aside = new Set(parked.map(({ _id }) => _id))
  const gave = await pagesWithEvents(
    scope,
    site,
    bare.filter(({ page }) => !states.has(String(page))),
    session,
  )
  const faults: Fault[] = []
  for (const claim of bare) {
    const page = String(claim.page)
    if (states.get(page) === 'open' || aside.has(`${page}:${claim._id}`)) continue
    if (states.has(page)) {
      const kept = await journal.findOne({ _id: claim.page }, { session })
      const event = (kept ? fromStored(kept).events : []).find(event => claimKey(event) === claim._id)
      faults.push(event ? lostFault(scope, claim.page, event) : orphanFault(scope, site, claim))
    } else faults.push(gave.has(page) ? goneFault(scope, site, claim) : orphanFault(scope, site, claim))
  }
  return faults
}

/** Which of the claims' pages gave other events. */
async function pagesWithEvents({ db }: Scope, site: string, claims: Claim[], session: ClientSession) {
  if (claims.length === 0) return new Set<string>()
  const from = new Date(Math.min(...claims.map(({ at }) => +(at ?? 0) - LATE_MS)))
  const pages = await db
    .collection<RawEvent>('events')
    .aggregate<{ _id: ObjectId }>(
      [
        { $match: { 'meta.site': site, ts: { $gte: from }, page: { $in: claims.map(({ page }) => page) } } },
        { $group: { _id: '$page' } },
      ],
      { session },
    )
    .toArray()
  return new Set(pages.map(({ _id }) => String(_id)))
}
