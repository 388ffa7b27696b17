/** Errors of a page: what is told of them, and what is not. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import type { Page as ShopPage } from './shop.ts'
import { type Visit, visit } from './visiting.ts'

const browser = await browserOrSkip()
let at: Visit
afterEach(() => at?.close())
afterAll(() => browser?.close())

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b'
const begin = async (given: ShopPage = {}, path = '') => {
  at = await visit(browser, { ...given, with: ['errors'] }, path)
  await at.arrived('pageview')
}
const script = (body: string) => ({ '/app.js': { type: 'text/javascript', body } })
/** Runs in the page, outside of any test code that could catch what it throws. */
const later = (code: string) =>
  at.page.evaluate(async text => {
    const element = document.createElement('script')
    element.textContent = text
    document.head.append(element)
    await new Promise(resolve => setTimeout(resolve))
  }, code)

describe.skipIf(!browser)('an error', () => {
  it('that nobody catches is told with its message and its place, without the query of its URL', async () => {
    await begin({ files: script('\nfunction pay() { throw new TypeError("no card") }') })
    await at.page.addScriptTag({ url: '/app.js?key=secret' })
    await later('setTimeout(() => pay())')
    await at.arrived('error')
    expect(at.props('error')).toEqual([
      { message: 'Uncaught TypeError: no card', url: `${at.shop.url}/app.js`, place: '2:24' },
    ])
    expect(JSON.stringify(at.shop.posts)).not.toContain('secret')
  })

  it('of a promise that nobody awaits is told as well, whatever it was rejected with', async () => {
    await begin({ files: script('\nasync function load() { throw new Error("no net") }') })
    await at.page.addScriptTag({ url: '/app.js' })
    await later('load(); Promise.reject("only text"); Promise.reject(); Promise.reject({ code: 7 })')
    await at.leave()
    expect(at.props('error')).toEqual([
      { message: 'no net', url: `${at.shop.url}/app.js`, place: '2:31' },
      { message: 'only text' },
      { message: 'undefined' },
      { message: '[object Object]' },
    ])
  })

  it('is none of a script where an image does not load', async () => {
    await begin()
    await at.page.evaluate(async () => {
      const image = document.body.appendChild(new Image())
      const failed = new Promise(resolve => image.addEventListener('error', resolve))
      image.src = 'data:image/png,none'
      await failed
    })
    await later('setTimeout(() => { throw new Error("no card") })')
    await at.leave()
    expect(at.props('error')).toMatchObject([{ message: 'Uncaught Error: no card' }])
  })

  it('in the page itself does not tell what is secret in the page’s address', async () => {
    await begin(
      { head: '<script>function fail() { throw new Error("inline") }</script>' },
      `/reset/${HASH}?mail=jane@mail.example`,
    )
    await later('setTimeout(() => fail())')
    await at.arrived('error')
    expect(at.props('error')).toMatchObject([{ message: 'Uncaught Error: inline', url: `${at.shop.url}/reset/*` }])
    expect(JSON.stringify(at.shop.posts)).not.toMatch(/9f86d081|jane/)
  })

  it('is told once a view; of many at most ten; again in the next view', async () => {
    await begin()
    const many = 'for (let i = 0; i < 40; i++) setTimeout(() => { throw new Error("number " + (i >> 1)) })'
    await later(many)
    await at.page.evaluate(() => history.pushState(null, '', '/second'))
    await later('setTimeout(() => { throw new Error("number 0") })')
    await at.leave()
    const messages = (at.props('error') as { message: string }[]).map(({ message }) => message)
    const first = Array.from({ length: 10 }, (_, i) => `Uncaught Error: number ${i}`)
    expect(messages).toEqual([...first, 'Uncaught Error: number 0'])
  })

  it('that the sending of errors causes does not go round in circles', async () => {
    await begin({
      head: `<script>const send = fetch; let calls = 0
        fetch = (...call) => { setTimeout(() => { throw new Error('wrapper ' + calls++) }); return send(...call) }</script>`,
    })
    for (let i = 0; i < 30; i++) {
      await at.call('track', 'step')
      await at.call('flush')
    }
    await at.leave()
    expect(at.props('error').length).toBeGreaterThan(0)
    expect(at.props('error').length).toBeLessThanOrEqual(10)
  })

  it('is cut at 100 characters, between two, and is nothing that the collector refuses', async () => {
    await begin()
    await later(`setTimeout(() => { throw new Error('${'😀'.repeat(200)}') })`)
    await at.arrived('error')
    const [{ message }] = at.props('error') as [{ message: string }]
    expect([...message]).toHaveLength(100)
    expect(message.isWellFormed()).toBe(true)
  })

  it('is not told where consent is refused, and is still seen in the console', async () => {
    await begin()
    await at.call('deny')
    await later('setTimeout(() => { throw new Error("after") })')
    await at.call('flush')
    await at.arrived('consent')
    expect(at.props('error')).toEqual([])
    expect(at.errors.map(({ message }) => message)).toEqual(['after'])
  })
})
