/** Pages with the consent platforms that npm has: each with its banner, and how a visitor answers it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GVL, TCModel, TCString } from '@iabtechlabtcf/core'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import type { Page } from 'playwright-core'
import { rollup } from 'rollup'
import type { Page as ShopPage } from '../tag/shop.ts'

const modules = join(import.meta.dirname, '../../node_modules')
const library = (path: string): string => readFileSync(join(modules, path), 'utf8')

/** One script of the packages that are modules, with what they export as `window.<name>`. */
async function bundle(name: string, from: string): Promise<string> {
  const built = await rollup({
    input: 'entry',
    plugins: [
      {
        name: 'entry',
        resolveId: id => (id === 'entry' ? join(modules, '../entry.js') : null),
        load: id => (id.endsWith('/entry.js') ? `export * from '${from}'` : null),
      },
      nodeResolve({ browser: true }),
    ],
    onwarn: () => {},
  })
  const { output } = await built.generate({ format: 'iife', name })
  return output[0].code
}

export interface Platform {
  signal: string
  page(): ShopPage | Promise<ShopPage>
  /** Waits until the visitor is asked. */
  asked(page: Page): Promise<unknown>
  accept(page: Page): Promise<unknown>
  reject(page: Page): Promise<unknown>
  /** Withdraws, as through a link to the settings. */
  withdraw(page: Page): Promise<unknown>
  version?: unknown
}

const vanilla: Platform = {
  signal: 'vanilla-cookieconsent',
  version: 3,
  page: () => ({
    with: ['vanilla'],
    files: {
      '/cc.js': library('vanilla-cookieconsent/dist/cookieconsent.umd.js'),
      '/run.js': `CookieConsent.run({
        revision: 3, hideFromBots: false, cookie: { secure: false },
        categories: { necessary: { enabled: true, readOnly: true }, analytics: {} },
        language: { default: 'en', translations: { en: {
          consentModal: { title: 'Cookies', description: '-', acceptAllBtn: 'Yes', acceptNecessaryBtn: 'No' },
          preferencesModal: { sections: [] } } } } })`,
    },
    head: '<script defer src="/cc.js"></script><script defer src="/run.js"></script>',
  }),
  asked: page => page.waitForSelector('#cc-main [data-role=all]', { state: 'attached' }),
  accept: page =>
    page
      .locator('#cc-main [data-role=all]')
      .first()
      .evaluate((button: HTMLElement) => button.click()),
  reject: page =>
    page
      .locator('#cc-main [data-role=necessary]')
      .first()
      .evaluate((button: HTMLElement) => button.click()),
  withdraw: page => page.evaluate('CookieConsent.acceptCategory([])'),
}

const klaro: Platform = {
  signal: 'klaro',
  page: () => ({
    with: ['klaro'],
    files: {
      '/klaro.js': library('klaro/dist/klaro-no-css.js'),
      '/config.js': `window.klaroConfig = { version: 1, lang: 'en', acceptAll: true,
        translations: { en: { privacyPolicyUrl: '/privacy' } },
        services: [{ name: 'livetag', title: 'livetag', purposes: ['analytics'] }, { name: 'maps', title: 'maps', purposes: ['content'] }] }`,
    },
    // The tag comes before Klaro, which has to be found.
    body: '<p>A page</p><script defer src="/config.js"></script><script defer src="/klaro.js"></script>',
  }),
  asked: page => page.waitForSelector('#klaro .cm-btn-success', { state: 'attached' }),
  accept: page =>
    page
      .locator('#klaro .cm-btn-success')
      .first()
      .evaluate((button: HTMLElement) => button.click()),
  reject: page =>
    page
      .locator('#klaro .cn-decline')
      .first()
      .evaluate((button: HTMLElement) => button.click()),
  // As the dialog does it, which has no button for that once it was answered.
  withdraw: page =>
    page.evaluate('klaro.getManager().changeAll(false), klaro.getManager().saveAndApplyConsents("decline")'),
}

const TAC = 'tarteaucitronjs'
const tarteaucitron: Platform = {
  signal: 'tarteaucitron',
  page: () => ({
    with: ['tarteaucitron'],
    files: {
      ...Object.fromEntries(
        ['', 'css/', 'lang/'].flatMap(folder =>
          readdirSync(join(modules, TAC, folder))
            .filter(name => /\.(js|css)$/.test(name))
            .map(name => [`/tac/${folder}${name}`, library(`${TAC}/${folder}${name}`)]),
        ),
      ),
      '/run.js': `tarteaucitron.init({ privacyUrl: '', hashtag: '#tac', cookieName: 'tac', orientation: 'middle',
        highPrivacy: true, AcceptAllCta: true, DenyAllCta: true, handleBrowserDNTRequest: false, removeCredit: true,
        showAlertSmall: false, cookieslist: false, useExternalCss: false, useExternalJs: false, googleConsentMode: false })
        tarteaucitron.services.livetag = { key: 'livetag', type: 'analytic', name: 'livetag', uri: '', needConsent: true,
          cookies: [], js() {}, fallback() {} };
        (tarteaucitron.job = tarteaucitron.job || []).push('livetag')`,
    },
    head: '<script src="/tac/tarteaucitron.js"></script><script src="/run.js"></script>',
  }),
  async asked(page) {
    // The service comes after the banner.
    await page.waitForFunction('tarteaucitron.added?.livetag')
    await page.waitForSelector('#tarteaucitronPersonalize2', { state: 'visible' })
  },
  // Its buttons are there a moment before they do something.
  accept: page => page.waitForFunction('tarteaucitronPersonalize2.click(), tarteaucitron.state.livetag === true'),
  reject: page => page.waitForFunction('tarteaucitronAllDenied2.click(), tarteaucitron.state.livetag === false'),
  withdraw: page => page.evaluate('tarteaucitron.userInterface.respondAll(false)'),
}

/** What else a vendor may have. */
const NOTHING_ELSE = {
  legIntPurposes: [],
  flexiblePurposes: [],
  specialPurposes: [],
  features: [],
  specialFeatures: [],
}

/** A TC string with these purposes, by IAB's own encoder and a vendor list of one. */
function tcString(purposes: number[]): string {
  const list = new GVL({
    gvlSpecificationVersion: 3,
    vendorListVersion: 80,
    tcfPolicyVersion: 5,
    lastUpdated: '2026-01-01T00:00:00Z',
    purposes: Object.fromEntries([...Array(11).keys()].map(index => [index + 1, { id: index + 1 }])),
    specialPurposes: {},
    features: {},
    specialFeatures: {},
    stacks: {},
    vendors: { 7: { id: 7, name: 'A vendor', purposes: [1, 7, 8, 9], ...NOTHING_ELSE } },
  } as never)
  const model = new TCModel(list)
  model.cmpId = 31
  model.cmpVersion = 1
  model.isServiceSpecific = true
  model.purposeConsents.set(purposes)
  model.vendorConsents.set(purposes.length > 0 ? [7] : [])
  return TCString.encode(model)
}
const YES = tcString([1, 7, 8, 9])
const NO = tcString([])

/** A banner of our own around IAB's CMP API: it remembers the string, as a CMP does. */
const tcf: Platform = {
  signal: 'tcf',
  version: YES,
  page: async () => ({
    files: {
      '/stub.tcf.js': library('@iabtechlabtcf/stub/lib/stub.js'),
      '/cmp.js': `${await bundle('iab', '@iabtechlabtcf/cmpapi')}
        const api = new iab.CmpApi(31, 1, true)
        const stored = localStorage.tcstring
        api.update(stored ?? '', stored === undefined)
        window.answer = text => { localStorage.tcstring = text; api.update(text, false) }
        window.showAgain = () => api.update(localStorage.tcstring, true)`,
    },
    head: '<script src="/stub.tcf.js"></script>',
    body: '<p>A page</p><script defer src="/cmp.js"></script>',
  }),
  asked: page => page.waitForFunction('window.answer'),
  accept: page => page.evaluate(`answer('${YES}')`),
  reject: page => page.evaluate(`answer('${NO}')`),
  async withdraw(page) {
    await page.evaluate('showAgain()')
    await page.evaluate(`answer('${NO}')`)
  },
}

/** With the stub of GPP's specification in it, as npm has none: a queue, a frame that marks the window, and messages. */
export const gppPage = async (): Promise<ShopPage> => ({
  files: {
    '/stub.gpp.js': `(() => {
      const queue = []
      window.__gpp = (...call) => (call.length ? void queue.push(call) : queue)
      addEventListener('message', ({ data, source }) => {
        const call = data?.__gppCall
        if (call) __gpp(call.command, (returnValue, success) =>
          source.postMessage({ __gppReturn: { returnValue, success, callId: call.callId } }, '*'), call.parameter, call.version)
      })
      const frame = Object.assign(document.createElement('iframe'), { name: '__gppLocator', hidden: true })
      addEventListener('DOMContentLoaded', () => document.body.append(frame))
    })()`,
    '/cmp.js': `${await bundle('iab', '@iabgpp/cmpapi')}
      const api = new iab.CmpApi(31, 1)
      window.gpp = { api, ready(sections, out) {
        api.setApplicableSections(sections)
        for (const field of ['SaleOptOut', 'SharingOptOut', 'TargetedAdvertisingOptOut']) api.setFieldValue('usnat', field, out ? 1 : 2)
        api.fireSectionChange('usnat')
        api.setSignalStatus('ready')
      } }`,
  },
  head: '<script src="/stub.gpp.js"></script>',
  body: '<p>A page</p><script defer src="/cmp.js"></script>',
})

export const platforms: Platform[] = [vanilla, klaro, tarteaucitron, tcf]
