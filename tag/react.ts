/** `livetag/react`: the tag in components. React is the page's own. */
import { useSyncExternalStore } from 'react'
import { type Capability, createTag, type EventMap, type Options, type Purpose, type TypedCalls } from './index.ts'
import { watchPurposes } from './purposes.ts'

/**
 * Starts the tag with the first component that uses it, and tells what the visitor has agreed to (`undefined`: not asked
 * yet). To start it while rendering is fine: a second start returns the running tag, and a server gets one that does nothing.
 */
export function useLivetag<Events = EventMap>(
  options: Options,
  capabilities?: Capability[],
): { tag: TypedCalls<Events>; purposes: Purpose[] | undefined } {
  const tag = createTag<Events>(options, capabilities)
  const { subscribe, now } = watchPurposes(tag)
  return { tag, purposes: useSyncExternalStore(subscribe, now, () => undefined) }
}
