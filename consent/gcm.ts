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
 * Only an update is somebody's word. A default is what a site sets before there is one, by Google's own words and for regions
 * that the tag can't tell, and `wait_for_update` says no more: it is pending, denied or granted, as is what no update has set.
 * Where a default `granted` is meant for visitors who are not asked at all, that is the site's mode `none`.
 */
export const gcm = (): void => {
  const state: Record<string, string | undefined> = {}
  const hear = safely((entries: unknown[]) => {
    // Not all are calls of `gtag`; those are `arguments` objects, which are no arrays.
    for (const entry of entries as (string[] | undefined)[])
      if (entry?.[1] === 'update' && entry[0] === 'consent') Object.assign(state, entry[2])
    const measured = state.analytics_storage
    decide(GCM, measured && (measured === 'granted' ? (state.ad_user_data === 'granted' ? ALL : AGREED) : []), 'gcm')
  })
  // biome-ignore lint/suspicious/noAssignInExpressions: what is assigned is what is read
  const layer = (window.dataLayer ||= [])
  const push = layer.push
  hear(layer)
  layer.push = (...entries) => {
    hear(entries)
    return push.apply(layer, entries)
  }
}
