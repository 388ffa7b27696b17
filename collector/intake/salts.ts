/**
 * Salts of cookieless visitors: random, one a day of a time zone, the same for all collectors of a deployment, gone two days
 * after the day began. Without its salt nobody can tell any more what address and agent a visitor was made of, not even by
 * trying all of them.
 *
 * What is deleted is out of the collection and of every collector's memory. MongoDB's oplog still holds it for as long as
 * the oplog reaches back, and so do backups: `livetag doctor` says how long that is.
 */
import { randomBytes } from 'node:crypto'
import { Binary, type Db, MongoServerError } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { dayOf, type ZoneDay } from '../sites/index.ts'
import { KEPT } from '../store/index.ts'

/** A document of `salts`. `_id` is `<zone> <date>`. */
export interface SaltDocument {
  _id: string
  salt: Binary
  expires: Date
}

/** A salt that is not in memory, and has to be loaded first. */
export interface Wanted {
  id: string
  expires: number
}

export interface Salts {
  /**
   * The salt of the day that holds a moment, in a time zone. `undefined` when that day is so long ago that it has none any
   * more; {@link Wanted} when it has to be loaded.
   */
  find(at: number, zone: string): Buffer | Wanted | undefined
  /** Loads a salt, and makes it where no collector has. Rejects when the database is away. */
  load(wanted: Wanted): Promise<void>
}

/** Bytes: as long as what HMAC-SHA-256 gives (RFC 2104, section 3, advises no less). */
const BYTES = 32
const DURABLE = { w: 'majority', journal: true } as const

export function createSalts(db: Db, clock: () => number): Salts {
  const held = new Map<string, { salt: Buffer; expires: number }>()
  const loading = new Map<string, Promise<void>>()
  const collection = db.collection<SaltDocument>('salts')

  const findOrMake = async ({ id, expires }: Wanted): Promise<Buffer> => {
    const made = { salt: new Binary(randomBytes(BYTES)), expires: new Date(expires) }
    // Of collectors that do this at once one makes it and all read the same; a majority has it before it is used.
    const ask = () =>
      collection.findOneAndUpdate(
        { _id: id },
        { $setOnInsert: made },
        { upsert: true, returnDocument: 'after', writeConcern: DURABLE },
      )
    const document = await ask().catch(error => {
      if (error instanceof MongoServerError && error.code === 11000) return ask()
      throw error
    })
    return Buffer.from((document ?? made).salt.buffer)
  }
  const forget = (now: number): void => {
    for (const [id, { expires }] of held) if (expires <= now) held.delete(id)
  }

  return {
    find(at, zone) {
      const day = dayOf(at, zone)
      const now = clock()
      if (expiryOf(day) <= now) {
        forget(now)
        return undefined
      }
      const id = `${zone} ${day.date}`
      return held.get(id)?.salt ?? { id, expires: expiryOf(day) }
    },
    load: wanted =>
      getOrAdd(loading, wanted.id, () =>
        findOrMake(wanted)
          .then(salt => {
            forget(clock())
            held.set(wanted.id, { salt, expires: wanted.expires })
            // Also where nothing asks for it any more.
            setTimeout(() => held.delete(wanted.id), wanted.expires - clock()).unref()
          })
          .finally(() => loading.delete(wanted.id)),
      ),
  }
}

const expiryOf = ({ start }: ZoneDay): number => start + KEPT.salts
