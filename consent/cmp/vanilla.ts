/**
 * vanilla-cookieconsent, version 3: https://cookieconsent.orestbida.com/advanced/callbacks-events.html
 *
 * `cc:onConsent` comes at each load with an answer, also at the first one; `cc:onChange` when it is another one.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { on } from '../../tag/safely.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

interface Cookie {
  categories: string[]
  revision: number
}

/** The category is `analytics`, unless the site's `category` says otherwise; the version is its `revision`. */
export const vanilla = () => {
  const read = ({ categories, revision }: Cookie) =>
    decide(CMP, categories.includes(options.category ?? 'analytics') ? AGREED : [], 'vanilla-cookieconsent', revision)
  for (const type of ['cc:onConsent', 'cc:onChange'])
    on<CustomEvent<{ cookie: Cookie }>>(type, ({ detail }) => read(detail.cookie))
  // Where it is a module, there is no global and this throws: then the events come.
  const { CookieConsent } = window as unknown as {
    CookieConsent: { validConsent(): boolean; getCookie(): Cookie }
  }
  if (CookieConsent.validConsent()) read(CookieConsent.getCookie())
}
