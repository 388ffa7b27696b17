// @vitest-environment happy-dom
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Purpose } from '../../tag/types.ts'
import type { Envelope } from '../../tag/wire.ts'
import { run, stop } from '../tag/running.ts'
import * as signals from './signals.ts'

afterEach(() => {
  stop()
  signals.removeSignals()
})

/** Strongest first; the last one is no word of the visitor. */
const RANKS = ['api', 'tcf', 'gcm', 'klaro', 'gpp'] as const
type Name = (typeof RANKS)[number]

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      signal: fc.constantFrom(...RANKS),
      answer: fc.constantFrom<signals.Answer>('pending', 'denied', 'granted'),
    }),
  },
  { weight: 3, arbitrary: fc.constant('track' as const) },
  fc.constantFrom('identify' as const, 'page' as const, 'hide' as const),
  { weight: 2, arbitrary: fc.constant('wait' as const) },
)

interface Word {
  signal: Name
  purposes: Purpose[]
}

/** The state machine, said once more in another way. */
class Model {
  answers = new Map<Name, signals.Answer>()
  out = false
  gpc: boolean
  constructor(gpc: boolean) {
    this.gpc = gpc
  }
  hear(signal: Name, answer: signals.Answer) {
    // The site's own API can't be taken back, and no later update is none.
    if (answer === 'pending' && (signal === 'api' || signal === 'gcm')) return
    this.answers.set(signal, answer)
    if (signal === 'gpp' && answer === 'denied') this.out = true
  }
  get word(): Word | undefined {
    const signal = RANKS.find(name => (this.answers.get(name) ?? 'pending') !== 'pending')
    if (!signal) return undefined
    if (signal !== 'gpp' && this.answers.get(signal) === 'denied') return { signal, purposes: [] }
    const shares = signal === 'gpp' && !this.out && !this.gpc
    return { signal, purposes: ['measure', 'identify', ...(shares ? (['share'] as const) : [])] }
  }
}

const kept = () => document.cookie.split('; ').filter(cookie => /=./.test(cookie))

describe('whatever the signals say, and in whichever order', () => {
  for (const mode of ['required', 'cookieless', 'none'] as const)
    it(`the tag agrees with the model in the mode ${mode}, and nothing leaves that it does not allow`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 14 }),
          fc.boolean(),
          fc.subarray<Exclude<Name, 'api'>>(['tcf', 'gcm', 'klaro', 'gpp']),
          async (steps, optsOut, early) => {
            signals.removeSignals()
            const page = { tcf: signals.tcf(), gcm: signals.gcm(), klaro: signals.klaro(), gpp: signals.gpp() }
            const running = await run({ mode }, {}, ({ gcm, gpc, gpp, klaro, tcf }) => [
              () => void Object.assign(navigator, { globalPrivacyControl: optsOut }),
              () => {
                for (const name of early) page[name].appear()
              },
              gpc,
              gcm,
              tcf,
              gpp,
              klaro,
            ])
            const { tag, sent } = running
            const model = new Model(optsOut)
            let told: Purpose[] | undefined
            tag.onConsent(purposes => {
              told = purposes
            })
            // Those that come after the tag are found in the next moments.
            for (const name of Object.keys(page) as (keyof typeof page)[])
              if (!early.includes(name)) page[name].appear()
            await running.advance(1_000)
            let used = false
            let checked = 0
            const granted = new Set<string>()
            const check = () => {
              const { word } = model
              expect(told).toEqual(word?.purposes)
              const may = (purpose: Purpose) => (word ? word.purposes.includes(purpose) : mode === 'none')
              for (const { body } of sent.slice(checked)) {
                checkBody(body, word, mode, used, granted)
                if (body.c === 'g' || body.c === 'x') used = true
                if (body.c === 'g') granted.add(body.w)
              }
              checked = sent.length
              if (!may('identify')) expect(kept()).toEqual([])
            }
            check()
            for (const step of steps) {
              if (step === 'track') tag.track('many')
              else if (step === 'identify') tag.identify('user-7')
              else if (step === 'page') tag.page()
              else if (step === 'hide') running.hide()
              else if (step === 'wait') await running.advance(1_500)
              else {
                model.hear(step.signal, step.answer)
                const { signal } = step
                if (signal !== 'api') page[signal].answer(step.answer)
                else if (step.answer === 'granted') tag.grant()
                else if (step.answer === 'denied') tag.deny()
              }
              check()
            }
            await running.advance(60_000)
            check()
            if (mode === 'required' && !used) expect(sent).toEqual([])
          },
        ),
        { numRuns: 400 },
      )
    }, 120_000)
})

/** What may stand in a body that was sent under this word. */
function checkBody(body: Envelope, word: Word | undefined, mode: string, used: boolean, granted: Set<string>): void {
  const agreed = word?.purposes.includes('measure')
  const refused = word && !agreed
  const flag = agreed ? 'g' : mode === 'cookieless' ? 'l' : refused ? 'd' : mode === 'none' ? 'x' : 'nothing'
  expect(body.c).toBe(flag)
  const names = body.e.map(({ n }) => n)
  if (flag === 'd' || (flag === 'l' && granted.has(body.w))) {
    // one record, and only where something was sent before
    expect(names).toEqual(['consent'])
    expect(used).toBe(true)
  }
  if (flag === 'd' || flag === 'l') {
    expect(body).not.toHaveProperty('i')
    expect(body).not.toHaveProperty('k')
    expect(names).not.toContain('identify')
  } else {
    expect(body.k).toMatch(/^[0-9a-z]{16}$/)
    expect('i' in body).toBe(!word || word.purposes.includes('identify'))
  }
  const record = body.e.findLast(({ n }) => n === 'consent')
  if (record && word) expect(record.d).toMatchObject({ purposes: word.purposes, signal: word.signal })
}
