/**
 * Cookiebot by Usercentrics: properties and events of https://www.cookiebot.com/en/developer/
 *
 * `hasResponse` is false until the visitor has answered; the events follow each answer, and each load with one.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { on } from '../../tag/safely.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

interface Cookiebot {
  hasResponse: boolean
  consent: Record<string, boolean>
}

/** The category is `statistics`, unless the site's `category` says otherwise. */
export const cookiebot = () => {
  const read = () => {
    const { hasResponse, consent } = (window as unknown as { Cookiebot: Cookiebot }).Cookiebot
    decide(CMP, hasResponse && (consent[options.category ?? 'statistics'] ? AGREED : []), 'cookiebot')
  }
  for (const type of ['ConsentReady', 'Accept', 'Decline']) on(`CookiebotOn${type}`, read)
  // Throws where it has not loaded yet: then the events come.
  read()
}
