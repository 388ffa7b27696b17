/** The two APIs of IAB, for TCF and GPP, are heard in one way. */

import { on, safely } from '../tag/safely.ts'

/** How often it looks for an API that is not there, ms: a look is one property, and of a frame its windows above. */
const LOOK = 500

type Api = (command: string, ...args: unknown[]) => void

/**
 * Listens to `__tcfapi` or `__gpp`, also where its stub comes after the tag.
 *
 * In a frame it is the page around that has a CMP, perhaps of another origin: both specifications have it mark its window by
 * a frame of a fixed name, and answer messages there. Not in the page itself: the stub of IAB's own package forgets who asked
 * by a message as soon as it has answered once (1.5.21).
 * @param version of the API: TCF's function wants it before the callback
 */
export const listen = <Data>(
  name: '__tcfapi' | '__gpp',
  version: number | string,
  hear: (data: Data) => unknown,
): unknown => {
  const api = (window as unknown as Record<string, Api | undefined>)[name]
  if (api) return api('addEventListener', ...(version === 2 ? [version] : []), safely(hear))
  let place: Window = window
  while (place !== place.parent) {
    place = place.parent
    // Without such a frame, a page of another origin throws.
    if (safely(() => (place as unknown as Record<string, unknown>)[`${name}Locator`])()) {
      on<MessageEvent>('message', event => {
        const answer = event.data[`${name}Return`]
        // Answers to the questions of others arrive here, too.
        if (event.source === place && answer.callId === name) hear(answer.returnValue as never)
      })
      return place.postMessage({ [`${name}Call`]: { command: 'addEventListener', version, callId: name } }, '*')
    }
  }
  setTimeout(safely(listen), LOOK, name, version, hear)
}
