/** What was agreed to, for components that come and go: the tag is asked once, and they by whom they were told to be. */
import type { Calls, Purpose } from './types.ts'

interface Watched {
  now(): Purpose[] | undefined
  /** @returns what ends it */
  subscribe(changed: () => void): () => void
}

const watched = new WeakMap<object, Watched>()

export function watchPurposes(tag: Pick<Calls, 'onConsent'>): Watched {
  const known = watched.get(tag)
  if (known) return known
  const listeners = new Set<() => void>()
  let purposes: Purpose[] | undefined
  tag.onConsent(decided => {
    purposes = decided
    for (const changed of listeners) changed()
  })
  const watch: Watched = {
    now: () => purposes,
    subscribe(changed) {
      listeners.add(changed)
      return () => void listeners.delete(changed)
    },
  }
  watched.set(tag, watch)
  return watch
}
