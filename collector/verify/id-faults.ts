/** What is found of ids, with what mends it. */
import type { ObjectId } from 'mongodb'
import type { JournalEvent } from '../journal/index.ts'
import type { Claim, Raw } from './claims.ts'
import { type Fault, hourOf } from './kinds.ts'
import { deleteClaim, removeExtra, restoreEvent } from './mend-ids.ts'
import type { Scope } from './scope.ts'

export const doubledFault = (scope: Scope, site: string, extra: Raw): Fault => ({
  found: {
    kind: 'event-doubled',
    site,
    hour: hourOf(extra.ts),
    id: extra.id,
    actual: { _id: extra._id, name: extra.meta.name, page: extra.page },
    repairable: true,
  },
  mend: () => removeExtra(scope, extra),
  stays: () => {
    const { extras } = scope.truth
    extras.set(String(extra._id), (extras.get(String(extra._id)) ?? 0) + 1)
  },
})

export const lostFault = (scope: Scope, page: ObjectId, event: JournalEvent): Fault => ({
  found: {
    kind: 'event-lost',
    site: event.site,
    hour: hourOf(event.ts),
    id: event.id,
    expected: { name: event.name, page },
    repairable: true,
  },
  mend: () => restoreEvent(scope, event, page),
  stays: () => void scope.truth.lost.push(event),
})

export const goneFault = ({ truth }: Scope, site: string, { _id, page, at }: Claim): Fault => ({
  found: {
    kind: 'event-lost',
    site,
    ...hourOfClaim(at),
    id: _id.slice(site.length + 1),
    expected: { page },
    repairable: false,
    why: 'its journal page is not kept any more',
  },
  stays: () => void truth.gone.add(site),
})

export const orphanFault = (scope: Scope, site: string, claim: Claim): Fault => ({
  found: { kind: 'seen-orphan', site, ...hourOfClaim(claim.at), id: claim._id, actual: claim, repairable: true },
  mend: () => deleteClaim(scope, site, claim),
})

const hourOfClaim = (at: Date | undefined) => (at ? { hour: hourOf(at) } : {})
