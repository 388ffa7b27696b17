/** The signals of consent in a document that is no browser's: each as its standard or platform has it, moved by a test. */

export type Answer = 'pending' | 'denied' | 'granted'

/** What a signal's page has, and how its answer is changed. */
export interface Signal {
  /** puts it into the page, where it has not been answered; before the tag or after it */
  appear(): void
  answer(answer: Answer): void
}

type Page = Record<string, unknown>
const page = () => window as unknown as Page

/** As `gtag` does: it pushes its `arguments`. */
function gtag(..._: unknown[]): void {
  page().dataLayer ??= []
  // biome-ignore lint/complexity/noArguments: an array is another thing
  ;(page().dataLayer as unknown[]).push(arguments)
}

export const gcm = (): Signal => ({
  appear: () =>
    gtag('consent', 'default', { analytics_storage: 'denied', ad_user_data: 'denied', wait_for_update: 500 }),
  answer(answer) {
    const value = answer === 'granted' ? 'granted' : 'denied'
    if (answer === 'pending') gtag('event', 'page_view')
    else gtag('consent', 'update', { analytics_storage: value, ad_user_data: 'denied' })
  },
})

/** An API of IAB, as in a page whose CMP has loaded. */
function iab(name: '__tcfapi' | '__gpp', data: (answer: Answer) => unknown): Signal {
  const listeners: ((data: unknown, success: boolean) => void)[] = []
  return {
    appear() {
      page()[name] = (command: string, ...args: unknown[]) => {
        const listener = args.find(argument => typeof argument === 'function')
        if (command !== 'addEventListener' || !listener) return
        listeners.push(listener as (typeof listeners)[number])
        listeners.at(-1)?.(data('pending'), true)
      }
    },
    answer: answer => listeners.forEach(listener => void listener(data(answer), true)),
  }
}

const all = { 1: true, 7: true, 8: true, 9: true }

/** An answer is one in an UI; shown again, the last one stands in the string, and decides nothing. */
export const tcf = (): Signal =>
  iab('__tcfapi', answer => ({
    gdprApplies: true,
    tcString: 'CPxyz',
    eventStatus: answer === 'pending' ? 'cmpuishown' : 'useractioncomplete',
    purpose: { consents: answer === 'denied' ? { 1: true, 7: true } : all },
    vendor: { consents: {} },
  }))

/** Of a law that asks for no consent: out of sharing is its `denied`. */
export const gpp = (): Signal =>
  iab('__gpp', answer => ({
    eventName: 'signalStatus',
    pingData: {
      signalStatus: answer === 'pending' ? 'not ready' : 'ready',
      applicableSections: [7],
      gppString: 'DBABLA~BVQqAAAAAgA',
      parsedSections: { usnat: [{ SaleOptOut: 2, SharingOptOut: answer === 'denied' ? 1 : 2 }, { Gpc: false }] },
    },
  }))

/** A platform: Klaro's manager, with a service of the name `livetag`. */
export const klaro = (): Signal => {
  const watchers: { update(manager: unknown): void }[] = []
  const manager = {
    confirmed: false,
    savedConsents: { livetag: false },
    watch: (watcher: { update(manager: unknown): void }) => void watchers.push(watcher),
  }
  return {
    appear() {
      page().klaro = { getManager: () => manager }
    },
    answer(answer) {
      manager.confirmed = answer !== 'pending'
      manager.savedConsents.livetag = answer === 'granted'
      for (const watcher of watchers) watcher.update(manager)
    },
  }
}

/** Takes all of them out of the page. */
export function removeSignals(): void {
  for (const name of ['dataLayer', 'klaro', '__tcfapi', '__gpp']) Reflect.deleteProperty(window, name)
}
