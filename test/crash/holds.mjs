/**
 * Points at which a collector of the crash harness can be held, in the driver: so a stop hits the one moment that a
 * protection is for, which a stop at random meets once in thousands. Nothing is held until the parent asks for it.
 */
import { ClientSession, Collection } from 'mongodb'

/** @type {{ at: string, lane?: number, held(): void, released: Promise<void>, release(): void } | undefined} */
let wanted

/** Holds it the next time that it comes to the point. @param lane at `adopted`: which one */
export function hold(at, lane, held) {
  release()
  let go
  const released = new Promise(resolve => {
    go = resolve
  })
  wanted = { at, lane, held, released, release: go }
}

export function release() {
  wanted?.release()
  wanted = undefined
}

async function point(name, lane) {
  if (wanted?.at !== name || wanted.lane !== lane) return
  const { held, released } = wanted
  held()
  await released
}

const { initializeUnorderedBulkOp, findOneAndUpdate } = Collection.prototype
const { withTransaction } = ClientSession.prototype

/** `insert`: raw events are about to be stored. */
Collection.prototype.initializeUnorderedBulkOp = function (...given) {
  const insert = initializeUnorderedBulkOp.apply(this, given)
  if (this.collectionName !== 'events') return insert
  const execute = insert.execute.bind(insert)
  insert.execute = async (...options) => {
    await point('insert')
    return await execute(...options)
  }
  return insert
}
/** `commit`: raw events are stored, their pages are about to be settled. */
ClientSession.prototype.withTransaction = async function (...given) {
  await point('commit')
  return await withTransaction.apply(this, given)
}
/** `adopted`: it has taken a lane, and has not raised its fence. */
Collection.prototype.findOneAndUpdate = async function (...given) {
  const found = await findOneAndUpdate.apply(this, given)
  if (this.collectionName === 'lanes' && found) await point('adopted', found._id)
  return found
}
