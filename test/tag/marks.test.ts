/** What a page declares in its elements, impressions, and an owner's rules. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { openShop, type Shop, type Page as ShopPage } from './shop.ts'

const browser = await browserOrSkip()
let context: BrowserContext | undefined
let shop: Shop
afterEach(async () => {
  await context?.close()
  await shop?.close()
})
afterAll(() => browser?.close())

async function visit(given: ShopPage): Promise<Page> {
  if (!browser) throw new Error('no browser')
  shop = await openShop(given)
  context = await browser.newContext({ viewport: { width: 800, height: 600 } })
  const page = await context.newPage()
  page.on('pageerror', error => errors.push(error))
  errors.length = 0
  await page.goto(shop.url)
  await arrived('pageview')
  return page
}
const errors: Error[] = []
const arrived = (name: string, count = 1) =>
  vi.waitFor(() => expect(shop.events(name).length).toBeGreaterThanOrEqual(count), { timeout: 10_000 })
const props = (name: string) => shop.events(name).map(({ d }) => d)
/** Closes the page, and waits for what is sent on leaving. */
const leave = async (page: Page) => {
  await page.evaluate(() => (window.livetag as { track(name: string): void }).track('end'))
  await page.close({ runBeforeUnload: true })
  await arrived('end')
}

describe.skipIf(!browser)('an element with data-lt-event', () => {
  it('makes its event when it is clicked, with its data-lt-… as properties, also by what is inside it', async () => {
    const page = await visit({
      body: `<button data-lt-event="signup" data-lt-plan="pro" data-lt-event-source="top" data-other="no"><b id=b>Go</b></button>`,
    })
    await page.click('#b')
    await leave(page)
    expect(props('signup')).toEqual([{ plan: 'pro', eventSource: 'top' }])
    expect(props('click')).toHaveLength(1)
  })

  it('that is a form makes it when it is sent, once, and never what was typed', async () => {
    const page = await visit({
      body: '<form data-lt-event="lead" data-lt-step="1"><input name=mail value="typed-secret"><button>Send</button></form>',
    })
    await page.evaluate(() => addEventListener('submit', event => event.preventDefault()))
    await page.click('input')
    await page.click('button')
    await leave(page)
    expect(props('lead')).toEqual([{ step: '1' }])
    expect(JSON.stringify(shop.posts)).not.toContain('typed-secret')
  })
})

describe.skipIf(!browser)('an impression', () => {
  it('is of an element that was half in view, once; of one over many screens when it fills half of one; also of late ones', async () => {
    const page = await visit({
      body: `<p style="height:900px"></p><p data-lt-impression="below" data-lt-slot="1" style="height:100px"></p>
        <p data-lt-impression="tall" style="height:9000px"></p><p data-lt-impression="end" style="height:50px"></p>
        <p data-lt-impression="hidden" style="display:none"></p>`,
    })
    await page.evaluate(() => scrollTo(0, 340))
    // Once what came later was seen, the others have been looked at, too.
    await page.evaluate(() => {
      document.body.insertAdjacentHTML(
        'beforeend',
        '<p data-lt-impression="control" style="position:fixed;top:0;height:20px">',
      )
    })
    await arrived('impression', 1)
    expect(props('impression')).toEqual([{ impression: 'control' }])
    await page.evaluate(() => scrollTo(0, 400))
    await arrived('impression', 2)
    await page.evaluate(() => scrollTo(0, 900))
    await arrived('impression', 3)
    await page.evaluate(() => {
      scrollTo(0, 0)
      document.body.insertAdjacentHTML('afterbegin', '<p data-lt-impression="late" style="height:20px">')
    })
    await arrived('impression', 4)
    await page.evaluate(() => scrollTo(0, 1_000))
    await leave(page)
    expect(props('impression')).toEqual([
      { impression: 'control' },
      { impression: 'below', slot: '1' },
      { impression: 'tall' },
      { impression: 'late' },
    ])
  })
})

describe.skipIf(!browser)('an owner’s rule', () => {
  it('selects elements for clicks, impressions and depths; one that can’t be followed does not stop the others', async () => {
    const page = await visit({
      options: {
        rules: [
          { on: 'click', select: ':::', name: 'broken' },
          { on: 'seen', select: ':::', name: 'broken' },
          { on: 'seen', select: '.teaser', name: 'teaser', props: { id: ['attr', 'id'] } },
          {
            on: 'click',
            select: '.teaser',
            name: 'teaser_click',
            props: { kind: ['is', 'big'], typed: ['attr', 'value'] },
          },
          { on: 'scroll', value: 40, name: 'read', props: {} },
        ],
      },
      body: '<p class=teaser id=one>Teaser</p><p style="height:3000px">',
    })
    await arrived('teaser')
    await page.click('#one')
    await page.evaluate(() => scrollTo(0, 1_000))
    await arrived('scroll')
    await leave(page)
    expect(props('teaser')).toEqual([{ id: 'one' }])
    expect(props('teaser_click')).toEqual([{ kind: 'big' }])
    expect(props('read')).toHaveLength(1)
    expect(props('broken')).toEqual([])
    expect(errors).toEqual([])
  })
})

describe.skipIf(!browser)('how far down a view was', () => {
  it('is told when it is left: once, as the deepest point, not where the end was reached and told', async () => {
    const page = await visit({ body: '<p style="height:4000px;margin:0">' })
    await page.evaluate(() => scrollTo(0, 1_900))
    await arrived('scroll', 2)
    await page.evaluate(() => scrollTo(0, 100))
    await leave(page)
    await vi.waitFor(() => expect(props('scroll').some(d => d?.max)).toBe(true))
    const told = props('scroll').filter(d => d?.max)
    expect(told).toHaveLength(1)
    expect(told[0]?.max).toBeGreaterThan(55)
    expect(told[0]?.max).toBeLessThan(66)
    expect(props('scroll').filter(d => d?.depth)).toEqual([{ depth: 25 }, { depth: 50 }])
  })
})
