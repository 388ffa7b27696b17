/** Reads of a snapshot session: what several ask for at the same moment is read once. */
import type { ClientSession } from 'mongodb'

const shared = new WeakMap<ClientSession, Map<string, Promise<unknown>>>()

/** From now on reads of the session are shared; until {@link endSharing} what they gave is held. */
export const beginSharing = (session: ClientSession): void => {
  shared.set(session, new Map())
}
export const endSharing = (session: ClientSession): void => {
  shared.delete(session)
}

/**
 * What was read before in this session under this name, or what `read` gives; that alone where nothing is shared.
 * Who shares it waits for it to the end, so give `read` no signal of one of them; and nobody may change what it gives.
 */
export function once<T>(session: ClientSession | undefined, name: string, read: () => Promise<T>): Promise<T> {
  const reads = session && shared.get(session)
  if (!reads) return read()
  const there = reads.get(name) as Promise<T> | undefined
  if (there) return there
  const begun = read()
  reads.set(name, begun)
  // Who asks after it has failed tries again.
  begun.catch(() => reads.delete(name))
  return begun
}
