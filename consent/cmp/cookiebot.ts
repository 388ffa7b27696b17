/**
 * Cookiebot by Usercentrics: properties and events of https://www.cookiebot.com/en/developer/
 *
 * `hasResponse` is false until the visitor has answered; the events follow each answer, and each load with one.
 */
import type { Capability } from '../../tag/types.ts'
import { AGREED, CMP } from '../state.ts'

interface Cookiebot {
  hasResponse: boolean
  consent: Record<string, boolean>
}

/** The category is `statistics`, unless the site's `category` says otherwise. */
export const cookiebot: Capability = ({ decide, on, options }) => {
  const read = () => {
    const { hasResponse, consent } = (window as unknown as { Cookiebot: Cookiebot }).Cookiebot
    decide(
      CMP,
      hasResponse && { purposes: consent[options.category ?? 'statistics'] ? AGREED : [], signal: 'cookiebot' },
    )
  }
  for (const type of ['ConsentReady', 'Accept', 'Decline']) on(window, `CookiebotOn${type}`, read)
  // Throws where it has not loaded yet: then the events come.
  read()
}
