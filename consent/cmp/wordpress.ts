/**
 * WP Consent API, for the many consent plugins of WordPress that speak it: https://github.com/WordPress/wp-consent-level-api
 *
 * `wp_has_consent` says yes where nobody has been asked, so the answer itself is read: `allow`, `deny`, or empty.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { on } from '../../tag/safely.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

interface WordPressWindow {
  consent_api: { cookie_prefix: string }
  consent_api_get_cookie(name: string): string
}

/** The category is `statistics`, unless the site's `category` says otherwise. */
export const wordpress = () => {
  const category = options.category ?? 'statistics'
  const read = (answer?: string) => answer && decide(CMP, answer === 'allow' ? AGREED : [], 'wp-consent-api')
  on<CustomEvent<Record<string, string>>>('wp_listen_for_consent_change', ({ detail }) => read(detail[category]))
  const stored = () => {
    const page = window as unknown as WordPressWindow
    read(page.consent_api_get_cookie(`${page.consent_api.cookie_prefix}_${category}`))
  }
  on('wp_consent_type_defined', stored)
  // Throws where the plugin's script has not loaded yet.
  stored()
}
