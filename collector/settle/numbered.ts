/**
 * Driver sessions with ids of our own, two a lane: one for its raw events (`fence.ts`), one for its transactions. Whoever
 * adopts a lane so knows the sessions of the holder before, which the server holds to account by their numbers.
 */
import { type ClientSession, type Db, UUID } from 'mongodb'

/** The driver adds 1 to `txnNumber` for each write that can be retried, and for each transaction. */
export function startSession({ client }: Db, id: UUID, txnNumber: number, causalConsistency = true): ClientSession {
  const session = client.startSession({ causalConsistency })
  // Dirty: never given to others from the driver's pool, nor ended on the server, which would forget the numbers.
  Object.assign(session.serverSession, { id: { id }, txnNumber, isDirty: true })
  return session
}

/** For the transactions of the lane with that `sid`. */
export const startTransactions = (db: Db, sid: UUID, txnNumber: number): ClientSession =>
  startSession(db, transactionsOf(sid), txnNumber, false)

/**
 * Ends the transaction of a lane that its holder has left open: a killed process, or a cut connection. Where the user may
 * not do so, the server does, after `transactionLifetimeLimitSeconds`.
 */
export async function endTransactions(db: Db, sid: UUID): Promise<void> {
  await db.command({ killSessions: [{ id: transactionsOf(sid) }] }).catch(() => {})
}

function transactionsOf(sid: UUID): UUID {
  const bytes = Uint8Array.from(sid.buffer)
  bytes[15] = (bytes[15] ?? 0) ^ 1
  return new UUID(bytes)
}
