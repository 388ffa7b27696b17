/** Consent platforms that npm has no library of, as their documentation describes them. */
type Answer = 'denied' | 'granted'
type Page = Record<string, unknown>

export interface Stub {
  signal: string
  /** puts the platform into the page, where nobody has answered yet */
  load(): void
  answer(answer: Answer): void
  version?: unknown
}

const page = () => window as unknown as Page
const tell = (target: EventTarget, type: string, detail?: unknown) =>
  void target.dispatchEvent(detail === undefined ? new Event(type) : new CustomEvent(type, { detail }))

/** https://www.cookiebot.com/en/developer/ */
const cookiebot: Stub = {
  signal: 'cookiebot',
  load() {
    page().Cookiebot = { hasResponse: false, consent: { necessary: true, statistics: false, marketing: false } }
  },
  answer(answer) {
    const statistics = answer === 'granted'
    page().Cookiebot = { hasResponse: true, consent: { necessary: true, statistics, marketing: false } }
    tell(window, 'CookiebotOnConsentReady')
    tell(window, statistics ? 'CookiebotOnAccept' : 'CookiebotOnDecline')
  },
}

/** https://developer.onetrust.com/onetrust/docs/javascript-events-guide; by default some groups are active before an answer. */
const onetrust: Stub = {
  signal: 'onetrust',
  load() {
    page().OneTrust = { IsAlertBoxClosed: () => false }
    page().OnetrustActiveGroups = ',C0001,C0002,'
    tell(window, 'OneTrustGroupsUpdated', ['C0001', 'C0002'])
  },
  answer(answer) {
    const groups = answer === 'granted' ? ['C0001', 'C0002'] : ['C0001', 'C0003']
    page().OneTrust = { IsAlertBoxClosed: () => true }
    page().OnetrustActiveGroups = `,${groups.join()},`
    tell(window, 'OneTrustGroupsUpdated', groups)
    tell(window, 'OTConsentApplied')
  },
}

/** https://developers.didomi.io/cmp/web-sdk/reference/api: what is pushed to the lists after it has loaded runs at once, too. */
const didomi: Stub & { open: boolean; enabled: boolean } = {
  signal: 'didomi',
  version: 'CPxyz',
  open: true,
  enabled: false,
  load() {
    didomi.open = true
    didomi.enabled = false
    page().Didomi = {
      shouldUserStatusBeCollected: () => didomi.open,
      getCurrentUserStatus: () => ({
        purposes: { measure_content_performance: { id: 'measure_content_performance', enabled: didomi.enabled } },
        consent_string: 'CPxyz',
      }),
    }
    for (const ready of (page().didomiOnReady ?? []) as ((api: unknown) => void)[]) ready(page().Didomi)
    page().didomiOnReady = { push: (ready: (api: unknown) => void) => ready(page().Didomi) }
    page().didomiEventListeners ??= []
  },
  answer(answer) {
    didomi.open = false
    didomi.enabled = answer === 'granted'
    for (const { event, listener } of page().didomiEventListeners as { event: string; listener(): void }[])
      if (event === 'consent.changed') listener()
  },
}

/** https://usercentrics.com/docs/web/: before an answer the type of the consent is `IMPLICIT`, whatever it says. */
const usercentrics: Stub = {
  signal: 'usercentrics',
  load() {
    page().__ucCmp = { getConsentDetails: async () => details('IMPLICIT', true) }
    tell(window, 'UC_UI_INITIALIZED')
  },
  answer(answer) {
    page().__ucCmp = { getConsentDetails: async () => details('EXPLICIT', answer === 'granted') }
    tell(window, 'UC_UI_CMP_EVENT', { type: answer === 'granted' ? 'ACCEPT_ALL' : 'DENY_ALL' })
  },
}
const details = (type: string, given: boolean) => ({
  consent: { type, status: given ? 'ALL_ACCEPTED' : 'ALL_DENIED' },
  services: { SJKM9Ns_ibQ: { name: 'livetag', consent: { given, type } } },
  categories: { functional: { state: given ? 'ALL_ACCEPTED' : 'ALL_DENIED', dps: {} } },
})

/** https://developers.osano.com/cmp/javascript-api/: who listens late to `osano-cm-initialized` is called at once. */
const osano: Stub & { saved: ((consent: unknown) => void)[] } = {
  signal: 'osano',
  saved: [],
  load() {
    osano.saved = []
    const cm = {
      addEventListener(type: string, fn: (consent?: unknown) => void) {
        if (type === 'osano-cm-initialized') fn(undefined)
        if (type === 'osano-cm-consent-saved') osano.saved.push(fn)
      },
    }
    page().Osano = Object.assign(() => {}, { cm })
  },
  answer(answer) {
    const consent = { ESSENTIAL: 'ACCEPT', ANALYTICS: answer === 'granted' ? 'ACCEPT' : 'DENY', MARKETING: 'DENY' }
    for (const fn of osano.saved) fn(consent)
  },
}

/** https://github.com/WordPress/wp-consent-level-api, `wp-consent-api.js`: the cookie first, then the event. */
const wordpress: Stub & { stored: string } = {
  signal: 'wp-consent-api',
  stored: '',
  load() {
    wordpress.stored = ''
    page().consent_api = { cookie_prefix: 'wp_consent' }
    page().consent_api_get_cookie = (name: string) => (name === 'wp_consent_statistics' ? wordpress.stored : '')
    tell(document, 'wp_consent_type_defined')
  },
  answer(answer) {
    wordpress.stored = answer === 'granted' ? 'allow' : 'deny'
    tell(document, 'wp_listen_for_consent_change', { statistics: wordpress.stored })
  },
}

/** https://shopify.dev/docs/api/customer-privacy: the API comes with `loadFeatures`. */
const shopify: Stub & { consent: string } = {
  signal: 'shopify',
  consent: '',
  load() {
    shopify.consent = ''
    page().Shopify = {
      loadFeatures(_: unknown, done: (error?: unknown) => void) {
        Object.assign(page().Shopify as object, {
          customerPrivacy: { currentVisitorConsent: () => ({ analytics: shopify.consent, marketing: '' }) },
        })
        done()
      },
    }
  },
  answer(answer) {
    shopify.consent = answer === 'granted' ? 'yes' : 'no'
    tell(document, 'visitorConsentCollected', { analyticsAllowed: answer === 'granted' })
  },
}

export const stubs = { cookiebot, didomi, onetrust, osano, shopify, usercentrics, wordpress }

/** Takes all of them out of the page. */
export function removeStubs(): void {
  const names = ['Cookiebot', 'OneTrust', 'OnetrustActiveGroups', 'Didomi', 'didomiOnReady', 'didomiEventListeners']
  const more = ['__ucCmp', 'Osano', 'consent_api', 'consent_api_get_cookie', 'Shopify']
  for (const name of [...names, ...more]) Reflect.deleteProperty(window, name)
}
