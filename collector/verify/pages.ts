/**
 * Journal pages that are settled and still kept: what they counted is in the raw record, also where its claim is gone.
 * Finds `event-lost` beyond what `ids.ts` finds.
 */
import { fromStored, type JournalEvent, type JournalPage, type StoredPage } from '../journal/index.ts'
import { claimKey, type RawEvent } from '../settle/index.ts'
import type { Claim } from './claims.ts'
import { lostFault } from './id-faults.ts'
import type { Fault } from './kinds.ts'
import { atOneMoment, type Scope } from './scope.ts'

type SettledPage = Pick<JournalPage, '_id' | 'events' | 'deltas'>

export async function* checkPages(scope: Scope, site: string): AsyncGenerator<Fault> {
  const pages = scope.db
    .collection<StoredPage>('journal')
    .find({ state: 'settled', 'deltas.site': site }, { batchSize: 20 })
  for await (const page of pages) yield* await judge(scope, site, fromStored(page))
}

async function judge(scope: Scope, site: string, { _id, events, deltas = [] }: SettledPage): Promise<Fault[]> {
  const own = new Map(events.filter(event => event.site === site).map(event => [claimKey(event), event]))
  const claimed = await scope.db.collection<Claim>('seen').countDocuments({ _id: { $in: [...own.keys()] } })
  if (claimed === own.size) return []
  const counted = deltas
    .filter(delta => delta.site === site && delta.dim === 'total')
    .reduce((sum, { counters }) => sum + (counters[0]?.[0] ?? 0), 0)
  return await atOneMoment(scope, site, async ({ session }) => {
    const times = [...own.values()].map(({ ts }) => +ts).filter(Number.isFinite)
    const ts = { $gte: new Date(Math.min(...times)), $lte: new Date(Math.max(...times)) }
    const raw = await scope.db
      .collection<RawEvent>('events')
      .find({ 'meta.site': site, ts, page: _id }, { session, projection: { id: 1, meta: 1 } })
      .toArray()
    if (raw.length >= counted) return []
    const there = new Set(raw.map(({ id, meta }) => nameOf(meta.name, id)))
    const claims = await scope.db
      .collection<Claim>('seen')
      .find({ _id: { $in: [...own.keys()] } }, { session, projection: { _id: 1 } })
      .toArray()
    for (const { _id: key } of claims) own.delete(key)
    const parked = scope.db.collection<{ _id: string }>('parked')
    const lost: JournalEvent[] = []
    for (const [key, event] of own) {
      if (there.has(nameOf(event.name, event.id))) continue
      if (!(await parked.findOne({ _id: `${_id}:${key}` }, { session }))) lost.push(event)
    }
    return lost.map(event => lostFault(scope, _id, event))
  })
}

const nameOf = (name: string, id: string): string => JSON.stringify([name, id])
