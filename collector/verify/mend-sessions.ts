/** Makes a session anew from its events, in a transaction: one that settle changes meanwhile is made anew again. */
import { NO_LANE, noteRevision, type Revised, raiseRevisions, type Session } from '../settle/index.ts'
import { writeAudit } from './audit.ts'
import type { Kind } from './kinds.ts'
import { recount } from './recount.ts'
import { inTransaction, type Scope } from './scope.ts'

export const mendSession = (
  scope: Scope,
  { kind, site, id, from }: { kind: Kind; site: string; id: string; from: number },
): Promise<boolean> =>
  inTransaction(
    scope,
    site,
    async moment => {
      const { session } = moment
      const sessions = scope.db.collection<Session>('sessions')
      const before = await sessions.findOne({ _id: id }, { session, projection: { mending: 0 } })
      const should = (await recount(scope, { site, ids: [id], from }, moment, true)).get(id)?.session
      if (!before && !should) return false
      if (should) await sessions.replaceOne({ _id: id }, should, { session, upsert: true })
      else await sessions.deleteOne({ _id: id }, { session })
      const revised: Revised = new Map()
      noteRevision(revised, before ?? undefined, should)
      await raiseRevisions(scope.db, NO_LANE, revised, session)
      await writeAudit(scope.db, { kind, site, what: id, before, after: should ?? null }, session)
      return true
    },
    { collection: 'sessions', id },
  )
