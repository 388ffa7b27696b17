/**
 * Shopify's Customer Privacy API: https://shopify.dev/docs/api/customer-privacy
 *
 * `analyticsProcessingAllowed` says yes in regions that need no consent, so the answer itself is read: `yes`, `no`, or empty.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { on } from '../../tag/safely.ts'
import { appear } from '../appear.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

interface ShopifyWindow {
  Shopify: {
    loadFeatures?(features: { name: string; version: string }[], done: (error?: unknown) => void): void
    customerPrivacy: { currentVisitorConsent(): Record<string, string> }
  }
}

/** The kind of processing is `analytics`, unless the site's `category` says otherwise. */
export const shopify = () => {
  const page = window as unknown as ShopifyWindow
  const read = () => {
    const answer = page.Shopify.customerPrivacy.currentVisitorConsent()[options.category ?? 'analytics']
    decide(CMP, answer && (answer === 'yes' ? AGREED : []), 'shopify')
  }
  on('visitorConsentCollected', read)
  appear(
    () => page.Shopify.loadFeatures && page.Shopify,
    shop => shop.loadFeatures?.([{ name: 'consent-tracking-api', version: '0.1' }], error => error || read()),
  )
}
