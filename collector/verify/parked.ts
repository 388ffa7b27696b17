import type { Db } from 'mongodb'
import { type Fault, hourOf } from './kinds.ts'

/** Events that were set aside: whoever runs this has to look at them. */
export async function* listParked(db: Db, site: string): AsyncGenerator<Fault> {
  const parked = db.collection<{ _id: string; site: string; at: Date; error: string }>('parked').find({ site })
  for await (const { _id, at, error } of parked) {
    const why = 'the server refuses it as it is'
    yield { found: { kind: 'parked', site, hour: hourOf(at), id: _id, actual: error, repairable: false, why } }
  }
}
