/**
 * Didomi: https://developers.didomi.io/cmp/web-sdk/reference/api and …/reference/events
 *
 * A purpose that nobody has decided on is reported as not enabled, so it is asked first whether the visitor is still to be.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

interface Didomi {
  shouldUserStatusBeCollected(): boolean
  getCurrentUserStatus(): { purposes: Record<string, { enabled: boolean } | undefined>; consent_string?: string }
}
interface DidomiWindow {
  didomiOnReady?: ((didomi: Didomi) => void)[]
  didomiEventListeners?: { event: string; listener(): void }[]
  Didomi: Didomi
}

/** The purpose is `measure_content_performance`, unless the site's `category` says otherwise. */
export const didomi = () => {
  const page = window as unknown as DidomiWindow
  const read = () => {
    const { purposes, consent_string } = page.Didomi.getCurrentUserStatus()
    const { enabled } = purposes[options.category ?? 'measure_content_performance'] ?? {}
    decide(
      CMP,
      !page.Didomi.shouldUserStatusBeCollected() && enabled !== undefined && (enabled ? AGREED : []),
      'didomi',
      consent_string,
    )
  }
  // Both are read by Didomi when it has loaded, and what is pushed later is called, too.
  page.didomiOnReady ||= []
  page.didomiOnReady.push(read)
  page.didomiEventListeners ||= []
  page.didomiEventListeners.push({ event: 'consent.changed', listener: read })
}
