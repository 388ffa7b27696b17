/**
 * Google Consent Mode v2, as `gtag` writes it into `dataLayer`.
 *
 * https://developers.google.com/tag-platform/security/guides/consent
 */
import { decide } from '../tag/decide.ts'
import { safely } from '../tag/safely.ts'
import { GCM } from './ranks.ts'
import { AGREED, ALL } from './state.ts'

declare global {
  interface Window {
    dataLayer?: unknown[]
  }
}

/**
 * `analytics_storage` stands for `measure` and `identify`, `ad_user_data` for `share`.
 *
 * Only an update is somebody's word. A default is what a site has set before there is one, for a region that the tag can't
 * tell, and `wait_for_update` says no more: it is pending, denied or granted, as is what no update has set.
 */
export const gcm = () => {
  const state: Record<string, string | undefined> = {}
  // It throws for what is no call of `gtag`; those are `arguments` objects, which are no arrays.
  const read = safely((entry: unknown) => {
    const [command, kind, update] = entry as string[]
    if (command === 'consent' && kind === 'update') Object.assign(state, update)
  })
  const speak = () => {
    const { analytics_storage: measured, ad_user_data: shared } = state
    decide(
      GCM,
      measured && {
        purposes: measured === 'granted' ? (shared === 'granted' ? ALL : AGREED) : [],
        signal: 'gcm',
      },
    )
  }
  // biome-ignore lint/suspicious/noAssignInExpressions: what is assigned is what is read
  const layer = (window.dataLayer ||= [])
  const { push } = layer
  layer.map(read)
  speak()
  layer.push = (...entries) => {
    entries.map(read)
    speak()
    return push.apply(layer, entries)
  }
}
