/** Whether a collector can take events durably right now, and what its server is like: for `/readyz` and `doctor`. */
import type { Db } from 'mongodb'
import type { Journal } from './journal/index.ts'
import { lanes } from './settle/index.ts'
import { within } from './within.ts'

/** How long an answer of the server is waited for, ms. */
const PATIENCE_MS = 2_000
/** Share of the journal's bound from which on it counts as full. */
const FULL = 0.9

/** Why a collector takes no events. */
export const NOT_READY = {
  'disk-full':
    'the disk of its mongod is nearly full, so events are refused. Free some space (at least 256 MiB): it goes on by itself',
  'journal-full':
    'events come faster than they can be written. Tags keep them and try again; look at the disk of mongod',
  'mongod-away': 'mongod does not confirm a write within 2 s. Check that it runs and that a majority of its set does',
} as const
export type NotReady = keyof typeof NOT_READY

export interface ServerState {
  /** of the file system of the primary's data, bytes; `null` where the server does not tell */
  disk: { free: number; total: number } | null
  /** after how many s the server ends a transaction that was left open; `null` where it does not tell */
  transactions: number | null
}

export interface Readiness {
  /** `undefined` when it is ready; answers within 2 s */
  why(): Promise<NotReady | undefined>
  /** answers within 2 s */
  server(): Promise<ServerState>
}

export interface ReadinessParts {
  db: Db
  journal: Pick<Journal, 'waiting'>
  /** the journal's bound, bytes */
  limit: number
  /** whether the disk of a mongod of one's own has too little space left */
  diskFull(): boolean
}

export function createReadiness({ db, journal, limit, diskFull }: ReadinessParts): Readiness {
  // Of a frozen server only one is ever waited for: they would use up the connections.
  const write = shared(() => confirmedWrite(db))
  const state = shared(() => readState(db))
  return {
    async why() {
      if (diskFull()) return 'disk-full'
      if (journal.waiting > limit * FULL) return 'journal-full'
      return await within(write(), PATIENCE_MS, 'a write').then(
        () => undefined,
        () => 'mongod-away',
      )
    },
    server: () => within(state(), PATIENCE_MS, 'mongod').catch(() => ({ disk: null, transactions: null })),
  }
}

/** Changes nothing, and is confirmed only when a majority has all that was written before, on disk. */
const confirmedWrite = (db: Db): Promise<unknown> =>
  lanes(db).updateOne({ _id: -1 }, { $set: { epoch: 0 } }, { writeConcern: { w: 'majority', journal: true } })

async function readState(db: Db): Promise<ServerState> {
  const unknown = () => undefined
  const name = 'transactionLifetimeLimitSeconds'
  const [stats, parameter] = await Promise.all([
    db.command({ dbStats: 1 }).catch(unknown),
    // A server of somebody else's may not allow this.
    db
      .admin()
      .command({ getParameter: 1, [name]: 1 })
      .catch(unknown),
  ])
  const { fsTotalSize: total, fsUsedSize: used } = stats ?? {}
  const limit = parameter?.[name]
  return {
    disk: typeof total === 'number' && typeof used === 'number' ? { free: total - used, total } : null,
    transactions: typeof limit === 'number' ? limit : null,
  }
}

/** While an answer is out, whoever asks too gets the same one. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => {
    if (!asked) {
      const one = ask().finally(() => {
        asked = undefined
      })
      // Whoever asked may have given up.
      one.catch(() => {})
      asked = one
    }
    return asked
  }
}
