// @vitest-environment happy-dom
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { LiveTag, Purpose } from '../../tag/types.ts'
import { run, stop } from './running.ts'

afterEach(() => {
  stop()
  localStorage.clear()
})

/** Cookies that hold something: this document keeps a deleted one, empty, while its clock stands still. */
const kept = () => document.cookie.split('; ').filter(cookie => /=./.test(cookie))

const purposes = fc.subarray<Purpose>(['measure', 'identify', 'share'])
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ call: 'track' as const }) },
  fc.constant({ call: 'identify' as const }),
  { weight: 2, arbitrary: fc.record({ call: fc.constant('grant' as const), purposes }) },
  fc.constant({ call: 'deny' as const }),
  fc.constantFrom(
    { call: 'page' as const },
    { call: 'flush' as const },
    { call: 'hide' as const },
    { call: 'leave' as const },
  ),
  fc.record({ call: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
)

describe('whatever the visitor decides, and however often', () => {
  for (const mode of ['required', 'none'] as const) {
    it(`in the mode ${mode} nothing is sent or kept that was not agreed to at that moment`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 40 }),
          fc.array(fc.constantFrom(204, 503, 'lost' as const), { maxLength: 8 }),
          async (steps, fates) => {
            const running = await run({ mode }, { latency: 700, fate: () => fates.shift() ?? 204 })
            const { tag, sent } = running
            let agreed: Purpose[] | undefined
            /** calls that may never be sent, or never again: made under a refusal, or waiting when it came */
            const forbidden = new Set<number>()
            let calls = 0
            let checked = 0
            const may = (purpose: Purpose) =>
              agreed ? agreed.includes('measure') && agreed.includes(purpose) : mode === 'none'
            const check = () => {
              for (const { body } of sent.slice(checked)) {
                if (body.c === 'd') {
                  expect(body.e.map(({ n }) => n)).toEqual(['consent'])
                  expect(may('measure')).toBe(false)
                  expect(body).not.toHaveProperty('i')
                  expect(body).not.toHaveProperty('k')
                } else {
                  expect(body.c).toBe(agreed ? 'g' : 'x')
                  expect(may('measure')).toBe(true)
                  expect('i' in body).toBe(may('identify'))
                  expect(body.k).toMatch(/^[0-9a-z]{16}$/)
                  if (!may('identify')) expect(body.e.map(({ n }) => n)).not.toContain('identify')
                  for (const { d } of body.e) expect(forbidden.has(d?.call as number)).toBe(false)
                }
              }
              checked = sent.length
              if (!may('identify')) expect(kept()).toEqual([])
              if (mode === 'required' && !agreed) expect(sent).toEqual([])
            }
            check()
            for (const step of steps) {
              if (step.call === 'track') tag.track('many', { call: calls++ })
              else if (step.call === 'identify') tag.identify('user-7')
              else if (step.call === 'advance') await running.advance(step.ms)
              else if (step.call === 'hide' || step.call === 'leave') running[step.call]()
              else if (step.call === 'page' || step.call === 'flush') tag[step.call]()
              else {
                agreed = step.call === 'grant' ? step.purposes : []
                if (step.call === 'grant') tag.grant(step.purposes)
                else tag.deny()
              }
              if (agreed && !may('measure')) for (let call = 0; call < calls; call++) forbidden.add(call)
              check()
            }
            await running.advance(300_000)
            check()
            // What was agreed to and not taken back has arrived.
            const arrived = new Set(
              sent
                .filter(({ fate }) => fate === 204 || fate === true)
                .flatMap(({ body }) => body.e.map(({ d }) => d?.call)),
            )
            if (may('measure')) {
              for (let call = 0; call < calls; call++) expect(arrived.has(call) || forbidden.has(call)).toBe(true)
            }
          },
        ),
        { numRuns: 150 },
      )
    })
  }
})

describe('a decision', () => {
  it('is recorded once, with its purposes, and with nothing from before the visitor was asked', async () => {
    const { tag, sent, advance } = await run({ mode: 'required' })
    await advance(5_000)
    tag.grant()
    tag.grant()
    tag.grant(['measure', 'identify'])
    await advance(5_000)
    expect(sent.flatMap(({ body }) => body.e.map(({ n, t, d }) => [n, t, d]))).toEqual([
      ['pageview', 5_000, {}],
      ['consent', 0, { purposes: ['measure', 'identify'], signal: 'api' }],
    ])
  })

  it("lets a user's id that waited go along only with the purpose `identify`", async () => {
    for (const [granted, expected] of [
      [
        ['measure', 'identify'],
        ['pageview', 'identify', 'consent'],
      ],
      [['measure'], ['pageview', 'consent']],
    ] as const) {
      const { tag, sent, advance } = await run({ mode: 'required' })
      tag.identify('user-7')
      tag.grant([...granted])
      await advance(2_000)
      expect(sent.flatMap(({ body }) => body.e.map(({ n }) => n))).toEqual(expected)
    }
  })

  it('without `measure` is a refusal', async () => {
    const { tag, sent, advance } = await run({ mode: 'required' })
    tag.grant(['identify', 'share'])
    await advance(5_000)
    expect(sent).toEqual([])
    expect(kept()).toEqual([])
  })

  it('to share is taken away by Global Privacy Control, and nothing else is', async () => {
    const says = () => void Object.assign(navigator, { globalPrivacyControl: true })
    const { tag, sent, advance } = await run({ mode: 'required' }, {}, ({ gpc }) => [says, gpc])
    tag.grant(['measure', 'identify', 'share'])
    await advance(0)
    expect(sent[0]?.body.e[1]?.d?.purposes).toEqual(['measure', 'identify'])
  })

  it('is told to who waits for it, at once where there is one, and an error there stays there', async () => {
    const { tag } = await run({ mode: 'required' })
    const heard: unknown[] = []
    tag.onConsent(() => {
      throw new Error('of the page')
    })
    tag.onConsent(purposes => heard.push(['early', purposes]))
    tag.grant(['measure'])
    tag.onConsent(purposes => heard.push(['late', purposes]))
    tag.deny()
    expect(heard).toEqual([
      ['early', ['measure']],
      ['late', ['measure']],
      ['early', []],
      ['late', []],
    ])
  })

  it('can be taken back: after a refusal, what happens from then on is measured, and what was dropped stays dropped', async () => {
    const { tag, sent, advance } = await run({ mode: 'required' })
    tag.track('before')
    tag.deny()
    tag.track('refused')
    tag.grant()
    tag.track('after')
    await advance(2_000)
    expect(sent.flatMap(({ body }) => body.e.map(({ n }) => n))).toEqual(['consent', 'after'])
  })
})

describe('opting out', () => {
  const optedOut = () => run({ mode: 'none' }, {}, ({ optOut }) => [optOut])

  it('is for good: the next page sends nothing, whatever it is granted', async () => {
    const first = await optedOut()
    await first.advance(0)
    expect(first.sent).toHaveLength(1)
    ;(first.tag as LiveTag & { optOut(): void }).optOut()
    await first.advance(2_000)
    expect(first.sent.map(({ body }) => body.c)).toEqual(['x', 'd'])
    const second = await optedOut()
    second.tag.grant()
    second.tag.track('more')
    second.leave()
    await second.advance(60_000)
    expect(second.sent).toEqual([])
    expect(kept()).toEqual([])
  })

  it('that was never asked for keeps nothing on the device', async () => {
    const { advance } = await run({ mode: 'required' }, {}, ({ optOut }) => [optOut])
    await advance(60_000)
    expect(localStorage).toHaveLength(0)
  })
})

describe('a session', () => {
  it('ends after half an hour without an event, and the visitor does not', async () => {
    const { tag, sent, advance } = await run()
    for (const ms of [0, 29 * 60_000, 31 * 60_000]) {
      await advance(ms)
      tag.page()
    }
    await advance(0)
    const [, first, second, third] = sent.map(({ body }) => body)
    expect(second?.k).toBe(first?.k)
    expect(third?.k).not.toBe(first?.k)
    expect(new Set(sent.map(({ body }) => body.i)).size).toBe(1)
  })
})
