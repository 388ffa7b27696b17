// @vitest-environment happy-dom
import { afterEach, describe, expect, it } from 'vitest'
import { run, stop } from '../tag/running.ts'
import { removeStubs, stubs } from './stubs.ts'

afterEach(() => {
  stop()
  removeStubs()
})

describe.each(Object.keys(stubs) as (keyof typeof stubs)[])('%s', name => {
  const stub = stubs[name]
  const started = async (when: string) => {
    if (when === 'before the tag') stub.load()
    const running = await run({ mode: 'required' }, {}, own => [own[name]])
    await running.advance(50)
    if (when === 'after the tag') stub.load()
    await running.advance(500)
    return running
  }
  const records = ({ sent }: Awaited<ReturnType<typeof run>>) =>
    sent.flatMap(({ body }) => body.e.filter(({ n }) => n === 'consent').map(({ d }) => [body.c, d]))
  const record = (purposes: string[]) => ({
    purposes,
    signal: stub.signal,
    ...(stub.version !== undefined && { version: stub.version }),
  })

  it.each(['before the tag', 'after the tag'])('loaded %s: a yes, a no, and a yes again are heard', async when => {
    const running = await started(when)
    expect(running.sent).toEqual([])
    for (const answer of ['granted', 'denied', 'granted'] as const) {
      stub.answer(answer)
      await running.advance(0)
    }
    const yes = ['g', record(['measure', 'identify'])]
    expect(records(running)).toEqual([yes, ['d', record([])], yes])
  })

  it('sends nothing where it is never answered, nor after a no', async () => {
    const running = await started('before the tag')
    running.tag.track('waiting')
    running.hide()
    await running.advance(60_000)
    stub.answer('denied')
    running.tag.track('refused')
    running.leave()
    await running.advance(60_000)
    expect(running.sent).toEqual([])
  })

  it('asks for a name of its own where the site says which', async () => {
    stub.load()
    const running = await run({ mode: 'required', category: 'nothing-of-that-name' }, {}, own => [own[name]])
    stub.answer('granted')
    await running.advance(5_000)
    expect(running.sent).toEqual([])
  })
})
