/** Which raw events of one id are covered by claims, and which claims by events. Pure. */
import type { ObjectId } from 'mongodb'
import { claimKey, type RawEvent } from '../settle/index.ts'

export type Raw = Pick<RawEvent, 'ts' | 'meta' | 'id' | 'page'> & { _id: ObjectId }
export interface Claim {
  _id: string
  page: ObjectId
  /** when its page was received; settle always says it */
  at?: Date
  expires?: Date
}

export interface Cover {
  /** raw events that are too many */
  extras: Raw[]
  /** claims of which there is no raw event */
  bare: Claim[]
}

/** The keys under which an event may have been claimed: a raw event does not say whether its id was the caller's own. */
export const keysOf = ({ meta: { site, name }, id }: Pick<Raw, 'meta' | 'id'>): string[] =>
  [true, undefined].map(own => claimKey({ site, name, id, own } as Parameters<typeof claimKey>[0]))

/**
 * A claim covers one event, of its own page. What is not covered is too many where its name or its id (which then is
 * not the caller's own) is covered. Where the claims have expired (callers' own never before the events), one event of
 * each name is right.
 * @param events with the same site and id, in the order in which they were stored
 */
export function cover(events: Raw[], claims: Claim[]): Cover {
  const left = new Map(claims.map(claim => [claim._id, claim]))
  const names = new Set<string>()
  let generated = false
  const rest: Raw[] = []
  for (const event of events) {
    const [own = '', plain = ''] = keysOf(event)
    const claim = [own, plain].flatMap(key => left.get(key) ?? []).find(({ page }) => page.equals(event.page))
    if (!claim) {
      rest.push(event)
      continue
    }
    left.delete(claim._id)
    names.add(event.meta.name)
    generated ||= claim._id === plain
  }
  const extras = rest.filter(({ meta: { name } }) => generated || names.has(name) || !names.add(name))
  return { extras, bare: [...left.values()] }
}
