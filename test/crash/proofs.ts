/** Each decision has its proof, once. */
import type { Db } from 'mongodb'
import type { Raw } from './model.ts'

interface Proof {
  _id: string
  visitor?: string
  decided: Date
}

export async function compareProofs(db: Db, site: string, events: Raw[]): Promise<string[]> {
  const decisions = new Map(events.filter(({ meta }) => meta.name === 'consent').map(event => [event.id, event]))
  const faults: string[] = []
  for await (const { _id, visitor, decided } of db.collection<Proof>('consents').find({ site })) {
    const id = _id.slice(site.length + 1)
    const event = decisions.get(id)
    decisions.delete(id)
    const should = event?.consent === 'l' ? undefined : event?.visitor
    if (!event) faults.push(`proof ${id}: of no decision`)
    else if (visitor !== should || +decided !== +event.ts) faults.push(`proof ${id}: of another visitor or time`)
  }
  return [...faults, ...[...decisions.keys()].map(id => `proof ${id}: is missing`)]
}
