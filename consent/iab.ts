/** The two APIs of IAB, for TCF and GPP, are heard in one way, by messages. */
import type { Tag } from '../tag/types.ts'

/** Tells whose question an answer is of, as those of others arrive here, too. */
const CALL = 'livetag'

/**
 * Listens to `__tcfapi` or `__gpp`, in this page or in one around it, also where its stub comes after the tag.
 *
 * Both specifications have a CMP mark its window by a frame of a fixed name and answer messages there: that works across
 * origins, where a tag in a frame could not call the function.
 * @param version of the API
 * @param hear may throw: what a broken CMP says is not heard
 * @param wait ms until it looks again, a quarter longer each time: 23 times in the first minute, 11 in the next ten
 */
export const listen = <T>(
  name: '__tcfapi' | '__gpp',
  version: number | string,
  { on }: Pick<Tag, 'on'>,
  hear: (data: T) => unknown,
  wait = 100,
): void => {
  for (let place: Window | undefined = window; place; place = place === place.parent ? undefined : place.parent) {
    // Without such a frame, a page of another origin throws.
    try {
      if ((place.frames as unknown as Record<string, unknown>)[`${name}Locator`]) {
        on<MessageEvent>(window, 'message', ({ source, data }) => {
          const answer = data[`${name}Return`]
          if (source === place && answer.callId === CALL) hear(answer.returnValue)
        })
        place.postMessage({ [`${name}Call`]: { command: 'addEventListener', version, callId: CALL } }, '*')
        return
      }
    } catch {}
  }
  setTimeout(listen, wait, name, version, { on }, hear, wait * 1.25)
}
