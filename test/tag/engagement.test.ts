/** For how long a page had its visitor. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import type { Page as ShopPage } from './shop.ts'
import { type Visit, visit } from './visiting.ts'

const browser = await browserOrSkip()
let at: Visit
afterEach(() => at?.close())
afterAll(() => browser?.close())

/** A visit with a clock that stands still until it is moved. */
async function begin(given: ShopPage = {}): Promise<void> {
  at = await visit(browser, { ...given, with: ['engagement'] }, '/before')
  await at.page.clock.install()
  await at.page.goto(`${at.shop.url}/page`)
  await at.page.clock.pauseAt(Date.now() + 3_600_000)
  // Something is done, so that what was counted before the clock stood still is told and out of the way.
  await at.hide()
  await at.hide(false)
  at.shop.posts.length = 0
}
const pass = (ms: number) => at.page.clock.runFor(ms)
const touch = () => at.page.evaluate(() => void dispatchEvent(new KeyboardEvent('keydown')))
const told = () => at.shop.events('engagement').map(({ d }) => d?.ms as number)
const total = () => told().reduce((sum, ms) => sum + ms, 0)

describe.skipIf(!browser)('engaged time', () => {
  it('is that in which the page is visible, to half a minute after the last input', async () => {
    await begin()
    await touch()
    await pass(10_000)
    await touch()
    await pass(300_000)
    await at.hide()
    await at.arrived('engagement')
    expect(told()).toEqual([40_000])
  })

  it('is not that of a hidden tab', async () => {
    await begin()
    await touch()
    await pass(5_000)
    await at.hide()
    await pass(600_000)
    await touch()
    await pass(20_000)
    await at.hide(false)
    await pass(3_000)
    await at.hide()
    await at.arrived('engagement', 2)
    expect(told()).toEqual([5_000, 3_000])
  })

  it('is not that of a window without focus', async () => {
    await begin()
    await touch()
    await pass(4_000)
    await at.page.evaluate(() => {
      document.hasFocus = () => false
      dispatchEvent(new Event('blur'))
    })
    await pass(20_000)
    await at.hide()
    await at.arrived('engagement')
    expect(told()).toEqual([4_000])
  })

  it('belongs to the view in which it was, and no moment is told twice', async () => {
    await begin()
    await touch()
    await pass(7_000)
    await at.page.evaluate(() => history.pushState(null, '', '/second'))
    await at.arrived('engagement')
    await pass(2_000)
    await at.hide()
    await at.hide()
    await at.hide(false)
    await pass(1_000)
    await at.page.goto('about:blank')
    await at.arrived('engagement', 3)
    expect(total()).toBe(10_000)
    const perView = at.shop.posts.flatMap(({ body }) =>
      body.e.filter(({ n }) => n === 'engagement').map(({ d }) => [new URL(body.p.u).pathname, d?.ms]),
    )
    expect(perView).toEqual([
      ['/page', 7_000],
      ['/second', 2_000],
      ['/second', 1_000],
    ])
  })

  it('is not told of less than a tenth of a second, and not where consent is missing or refused', async () => {
    await begin()
    await touch()
    await pass(60)
    await at.hide()
    await at.hide(false)
    await at.call('deny')
    await touch()
    await pass(5_000)
    await at.hide()
    await at.arrived('consent')
    expect(told()).toEqual([])
    expect(at.errors).toEqual([])
  })
})
