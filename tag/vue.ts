/** `livetag/vue`: the tag in components. Vue is the page's own. */
import { onScopeDispose, type ShallowRef, shallowRef } from 'vue'
import { type Capability, createTag, type EventMap, type Options, type Purpose, type TypedCalls } from './index.ts'
import { watchPurposes } from './purposes.ts'

/**
 * For `setup`: starts the tag with the first component that uses it, and tells what the visitor has agreed to (`undefined`:
 * not asked yet). A second start returns the running tag, and a server gets one that does nothing.
 */
export function useLivetag<Events = EventMap>(
  options: Options,
  capabilities?: Capability[],
): { tag: TypedCalls<Events>; purposes: Readonly<ShallowRef<Purpose[] | undefined>> } {
  const tag = createTag<Events>(options, capabilities)
  const { subscribe, now } = watchPurposes(tag)
  const purposes = shallowRef(now())
  onScopeDispose(
    subscribe(() => {
      purposes.value = now()
    }),
  )
  return { tag, purposes }
}
