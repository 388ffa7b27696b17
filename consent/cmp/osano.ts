/**
 * Osano: https://developers.osano.com/cmp/javascript-api/developer-documentation-consent-javascript-api
 *
 * `osano-cm-initialized` is told at once to who comes later, with nothing while the visitor has not answered.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { appear } from '../appear.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

type Consent = Record<string, 'ACCEPT' | 'DENY' | undefined>
interface OsanoWindow {
  Osano: { cm?: { addEventListener(type: string, fn: (consent?: Consent) => void): void } }
}

/** The category is `ANALYTICS`, unless the site's `category` says otherwise. */
export const osano = () => {
  const read = (consent?: Consent) => {
    const answer = consent?.[options.category ?? 'ANALYTICS']
    decide(CMP, answer && (answer === 'ACCEPT' ? AGREED : []), 'osano')
  }
  appear(
    () => (window as unknown as OsanoWindow).Osano.cm,
    cm => {
      cm.addEventListener('osano-cm-initialized', read)
      cm.addEventListener('osano-cm-consent-saved', read)
    },
  )
}
