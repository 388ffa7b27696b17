/*
 * The banner, by vanilla-cookieconsent, and what it tells the tag.
 *
 * The tag does not remember the decision: the banner does, and repeats it on every page, with `grant` and the purposes
 * that were allowed, or with `deny`. Until there is an answer neither is called, and the tag waits.
 *
 * A refusal is not stored. The banner keeps a yes in its cookie `cc_cookie` for half a year, which the yes covers. To
 * remember a no it would need a cookie as well, on the device of somebody who just said no. Many sites count that one as
 * strictly necessary; this demo shows that it works without: after a refusal the cookie is written with a time of expiry
 * that has passed, so the browser never keeps it, and deletes an older one. The price, as the banner says: the next page asks again.
 */

const PURPOSES = ['measure', 'identify']

/** The purposes that were allowed. Recognizing without counting means nothing, so without `measure` there are none. */
function allowed() {
  const { acceptedCategories } = CookieConsent.getUserPreferences()
  return acceptedCategories.includes('measure') ? PURPOSES.filter(purpose => acceptedCategories.includes(purpose)) : []
}

/** Tells the tag what the banner knows. */
function passOn() {
  const purposes = allowed()
  if (purposes.length > 0) livetag('grant', purposes)
  else livetag('deny')
}

CookieConsent.run({
  // onConsent runs on every page on which there is a decision, after the first one as well; onChange when it changes.
  onConsent: passOn,
  onChange: passOn,
  cookie: {
    expiresAfterDays: () => (allowed().length > 0 ? 182 : -1),
    // The demo is served over plain http on a developer's own machine.
    secure: location.protocol === 'https:',
  },
  // The banner hides from automated browsers unless told otherwise; this page is for trying things out, by those as well.
  hideFromBots: false,
  categories: { measure: {}, identify: {} },
  guiOptions: {
    consentModal: { layout: 'box wide', position: 'bottom left', equalWeightButtons: true },
    preferencesModal: { equalWeightButtons: true },
  },
  language: {
    default: 'en',
    translations: {
      en: {
        consentModal: {
          title: 'May we count your visit?',
          description:
            'With your yes, this shop’s own collector sees which pages and buttons you use. Nothing is stored or sent before you answer. A no stores nothing at all, so the next page will ask again.',
          acceptAllBtn: 'Yes, count me',
          acceptNecessaryBtn: 'No',
          showPreferencesBtn: 'Let me choose',
        },
        preferencesModal: {
          title: 'Privacy settings',
          acceptAllBtn: 'Allow both',
          acceptNecessaryBtn: 'Allow none',
          savePreferencesBtn: 'Save my choice',
          closeIconLabel: 'Close',
          sections: [
            {
              title: 'Counting',
              description: 'Page views, clicks, how far you scroll.',
              linkedCategory: 'measure',
            },
            {
              title: 'Recognizing you',
              description: 'A random number in a cookie, so that a second visit is known to be one.',
              linkedCategory: 'identify',
            },
          ],
        },
      },
    },
  },
})
