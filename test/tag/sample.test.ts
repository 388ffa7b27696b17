/** A share of the visitors. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { type Visit, visit } from './visiting.ts'

const browser = await browserOrSkip()
let at: Visit | undefined
afterEach(async () => {
  await at?.close()
  at = undefined
})
afterAll(() => browser?.close())

const stored = (visit: Visit | undefined) => visit?.page.evaluate(() => [localStorage.length, sessionStorage.length])

/** Four loads of each of some visitors; gives back how many different page views each of them sent. */
async function visitors(count: number, sample: number, options: { mode?: 'required' } = {}): Promise<number[]> {
  const views: number[] = []
  for (let visitor = 0; visitor < count; visitor++) {
    at = await visit(browser, { options: { sample, ...options } })
    for (let load = 0; load < 3; load++) {
      await at.page.goto(`${at.shop.url}/${load}`)
      await at.call('track', 'step')
    }
    const kept = await at.context.cookies()
    expect(kept.map(({ name }) => name).sort()).toEqual(options.mode ? [] : ['lt', 'lts'])
    // What is on its way is kept until it is confirmed.
    await expect.poll(() => stored(at)).toEqual([0, 0])
    await at.page.goto('about:blank')
    // What was not confirmed before its page was left comes once more with the next one.
    const seen = at.shop.posts.flatMap(({ body: { w, e } }) =>
      e.filter(({ n }) => n === 'pageview').map(({ q }) => `${w}.${q}`),
    )
    views.push(new Set(seen).size)
    await at.close()
    at = undefined
  }
  return views
}

describe.skipIf(!browser)('a sample', () => {
  it('of none sends nothing, and of all everything', async () => {
    expect(await visitors(1, 0)).toEqual([0])
    expect(await visitors(1, 1)).toEqual([4])
  })

  it('of half the visitors has each of them wholly or not at all, with nothing more on the device', async () => {
    for (const views of await visitors(6, 0.5)) expect([0, 4]).toContain(views)
  })

  it('asks for consent as everybody does', async () => {
    expect(await visitors(1, 1, { mode: 'required' })).toEqual([0])
  })

  it('a visitor who is in stays in when the share grows', async () => {
    const { sample } = await import('../../tag/sample.ts')
    const { setOptions } = await import('../../tag/options.ts')
    const { reach } = await import('../../tag/safely.ts')
    sample()
    const isIn = (i: string, share: number) => {
      const envelope = { i, e: [1] }
      setOptions({ site: 'shop', url: '', sample: share })
      reach('send', envelope as never)
      return envelope.e.length > 0
    }
    const ids = Array.from({ length: 20_000 }, (_, n) => `${n.toString(36)}visitor`.padEnd(16, 'x').slice(0, 16))
    const [tenth, half] = [0.1, 0.5].map(share => new Set(ids.filter(id => isIn(id, share))))
    expect([...(tenth ?? [])].every(id => half?.has(id))).toBe(true)
    expect((tenth?.size ?? 0) / ids.length).toBeCloseTo(0.1, 1)
    expect(Math.abs((tenth?.size ?? 0) / ids.length - 0.1)).toBeLessThan(0.01)
    expect(Math.abs((half?.size ?? 0) / ids.length - 0.5)).toBeLessThan(0.015)
  })
})
