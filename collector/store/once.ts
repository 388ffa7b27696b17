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
 * What was read before in the session of these options under this name, or what `read` gives with them. Where it is shared they
 * have no signal, as others may wait for it when one of them has gone; and nobody may change what it gives.
 */
export function once<T, Options extends { session?: ClientSession | undefined; signal?: AbortSignal | undefined }>(
  options: Options,
  name: string,
  read: (options: Omit<Options, 'signal'>) => Promise<T>,
): Promise<T> {
  const reads = options.session && shared.get(options.session)
  if (!reads) return read(options)
  const there = reads.get(name) as Promise<T> | undefined
  if (there) return there
  const { signal: _, ...rest } = options
  const begun = read(rest)
  reads.set(name, begun)
  // Who asks after it has failed tries again.
  begun.catch(() => reads.delete(name))
  return begun
}
