import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { addHours } from '../../collector/dashboard/live/today.ts'
import { readShown } from '../../collector/dashboard/overview/params.ts'
import * as question from '../../collector/dashboard/overview/questions.ts'
import { asker } from '../../collector/dashboard/overview/report.ts'
import { type Asked, createScreen, NOT_ASKED, type Screen, shownOf } from '../../collector/dashboard/overview/screen.ts'
import { answered, kept, ticked } from '../../collector/dashboard/overview/ticking.ts'
import { createApi } from '../../collector/dashboard/shell/api.ts'
import type { QueryAnswer } from '../../collector/query/schema.ts'
import { meta, NOW } from './fixtures.ts'

const answer = (metrics: (number | null)[], made: Partial<QueryAnswer['meta']> = {}): QueryAnswer => ({
  results: [{ metrics, dimensions: ['Zürich – 東京 🗼'] }],
  meta: meta({ source: 'blocks', ...made }),
  query: { date_range: ['2026-03-04T00:00:00Z', '2026-03-04T23:59:59Z'] },
})
const SAMPLED = { sample: 0.0625, exact: false, error: 0.03 }
const estimate = (...metrics: (number | null)[]) => answer(metrics, SAMPLED)
const TOO_LONG = { type: '/problems/query-timeout', title: 'Ask for less.', status: 503, code: 'query-timeout' }
const line = (what: object) => `${JSON.stringify(what)}\n`
const ask = (range: string) => question.totals({ site: 'shop', shown: readShown({ range }), goals: [] })
const [week, month] = [ask('7d'), ask('30d')]

/** A collector worked by hand: each question waits here for its lines. */
interface Question {
  request: IncomingMessage
  says(...lines: object[]): void
  ends(): void
  /** in the middle of a line */
  breaks(): void
  isGone: boolean
}
let questions: Question[]
let screen: Screen
const shows: (readonly [shown: unknown, isAsked: boolean])[] = []
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const one: Question = {
    request,
    isGone: false,
    says(...lines) {
      response.write(lines.map(line).join(''))
    },
    ends: () => response.end(),
    breaks: () => response.write('{"results":[', () => response.destroy()),
  }
  response.setHeader('content-type', 'application/x-ndjson')
  response.on('close', () => {
    one.isGone = !response.writableEnded
  })
  questions.push(one)
})
beforeAll(() => new Promise<void>(done => void server.listen(0, '127.0.0.1', done)))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const metricsOf = (asked: Asked) => shownOf(asked)?.results[0]?.metrics ?? null
const of = (body = week) => screen.of('totals', body)
function begin() {
  const { port } = server.address() as AddressInfo
  questions = []
  shows.length = 0
  screen = createScreen({
    ask: asker(createApi(fetch, `http://127.0.0.1:${port}/`, () => null)),
    later: () => () => {},
    now: () => 7,
    changed: () => shows.push([metricsOf(of()), of().since !== null]),
  })
  screen.show({ totals: week })
}
const asked = (count: number): Promise<Question> =>
  vi.waitFor(() => {
    expect(questions).toHaveLength(count)
    return questions[count - 1] as Question
  })
afterEach(() => screen?.close())

describe('lines of an answer', () => {
  const whole = new TextEncoder().encode(line(estimate(1)) + line(answer([2])))
  const read = async (chunks: Uint8Array[]) => {
    const body = new ReadableStream<Uint8Array>({
      start(stream) {
        for (const chunk of chunks) stream.enqueue(chunk)
        stream.close()
      },
    })
    const early: QueryAnswer[] = []
    const api = createApi(
      async () => new Response(body),
      '/',
      () => null,
    )
    const last = await asker(api)(week, new AbortController().signal, one => early.push(one))
    return { early, last }
  }
  const both = { early: [estimate(1)], last: { ok: true, body: answer([2]) } }

  it('are read whole, wherever they are cut: between the bytes of a letter, too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(whole.length), { maxLength: 12 }), async cuts => {
        const ends = [...cuts.sort((a, b) => a - b), whole.length]
        expect(await read(ends.map((end, i) => whole.slice(ends[i - 1] ?? 0, end)))).toEqual(both)
      }),
      { numRuns: 30 },
    )
    expect(await read([...whole].map(byte => Uint8Array.of(byte)))).toEqual(both)
  })

  it('need no end of line after the last one, and are no answer where that is not whole', async () => {
    expect(await read([whole.slice(0, -1)])).toEqual(both)
    for (const length of [whole.length - 2, whole.length - 40, whole.indexOf(10) + 2]) {
      const { early, last } = await read([whole.slice(0, length)])
      expect(early).toEqual([estimate(1)])
      expect(last).toMatchObject({ ok: false, problem: { code: 'unreachable' } })
    }
    expect(await read([])).toMatchObject({ early: [], last: { ok: false, problem: { code: 'unreachable' } } })
  })
})

describe('a screen of large questions', () => {
  it('shows an estimate at once, and the answer when it is there', async () => {
    begin()
    const one = await asked(1)
    expect(one.request.headers.accept).toBe('application/x-ndjson')
    one.says(estimate(8))
    await vi.waitFor(() => expect(of().estimate).not.toBeNull())
    expect(of()).toMatchObject({ ...NOT_ASKED, estimate: estimate(8), since: 7 })
    one.says(answer([5]))
    one.ends()
    await vi.waitFor(() => expect(of().since).toBeNull())
    expect(of()).toMatchObject({ answer: answer([5]), estimate: null, problem: null })
    expect(shows).toEqual([
      [null, true],
      [[8], true],
      [[5], false],
    ])
  })

  it('shows one line as the answer that it is', async () => {
    begin()
    const one = await asked(1)
    one.says(answer([5], { exact: false, error: 0.016 }))
    one.ends()
    await vi.waitFor(() => expect(of().answer).not.toBeNull())
    expect(shows.map(([shown]) => shown)).toEqual([null, [5]])
  })

  it.each([
    ['a problem', 'ends', [TOO_LONG], 'query-timeout', 503],
    ['nothing', 'ends', [], 'unreachable', 0],
    ['half a line', 'breaks', [], 'unreachable', 0],
  ] as const)(
    'keeps an estimate after which %s comes, says so, and asks again when told to',
    async (_, how, lines, code, status) => {
      begin()
      const one = await asked(1)
      one.says(estimate(8))
      await vi.waitFor(() => expect(of().estimate).not.toBeNull())
      one.says(...lines)
      one[how]()
      await vi.waitFor(() => expect(of().problem).toMatchObject({ code, status }))
      expect(of()).toMatchObject({ answer: null, estimate: estimate(8), since: null })
      screen.again('failed')
      const two = await asked(2)
      two.says(estimate(9))
      await vi.waitFor(() => expect(metricsOf(of())).toEqual([9]))
      expect(of().problem).toBeNull()
      two.says(answer([5]))
      two.ends()
      await vi.waitFor(() => expect(of()).toMatchObject({ answer: answer([5]), estimate: null, since: null }))
    },
  )

  it('has the problem of what fails before its first line', async () => {
    begin()
    server.once('request', (_, response: ServerResponse) => {
      response.statusCode = 503
      response.end(JSON.stringify(TOO_LONG))
    })
    screen.show({ totals: month })
    await vi.waitFor(() => expect(of(month).problem).toMatchObject({ code: 'query-timeout', title: 'Ask for less.' }))
    expect(shownOf(of(month))).toBeNull()
  })

  it('shows nothing more of what is no longer asked, and the collector hears that it is not', async () => {
    begin()
    const one = await asked(1)
    one.says(estimate(8))
    await vi.waitFor(() => expect(of().estimate).not.toBeNull())
    screen.show({ totals: month })
    expect(shownOf(of(month))).toBeNull()
    await vi.waitFor(() => expect(one.isGone).toBe(true))
    one.says(answer([5]))
    const two = await asked(2)
    two.says(estimate(80))
    await vi.waitFor(() => expect(metricsOf(of(month))).toEqual([80]))
    expect(of()).toBe(NOT_ASKED)
  })

  it('asks what is asked at the same moment at once, and takes the lines as they come', async () => {
    begin()
    const one = await asked(1)
    screen.show({ totals: week, pages: month, sources: ask('12mo') })
    const list = await asked(2)
    // The first one is on its way already.
    expect(JSON.parse(await text(list.request))).toEqual([month, ask('12mo')])
    const [pages, sources] = [() => screen.of('pages', month), () => screen.of('sources', ask('12mo'))]
    list.says({ question: 1, ...answer([7]) }, { question: 0, ...estimate(8) })
    await vi.waitFor(() => expect(metricsOf(pages())).toEqual([8]))
    expect(sources()).toMatchObject({ estimate: null, since: null })
    expect(metricsOf(sources())).toEqual([7])
    list.says({ question: 0, ...TOO_LONG })
    await vi.waitFor(() => expect(pages().problem?.code).toBe('query-timeout'))
    list.ends()
    one.says(answer([5]))
    one.ends()
    await vi.waitFor(() => expect(metricsOf(of())).toEqual([5]))
    expect(questions).toHaveLength(2)
  })

  it('has no answer to what is left of a list that breaks off, and leaves it when nothing of it is wanted', async () => {
    begin()
    await asked(1)
    screen.show({ pages: month, sources: ask('12mo') })
    const list = await asked(2)
    list.says({ question: 1, ...answer([7]) })
    await vi.waitFor(() => expect(screen.of('sources', ask('12mo')).since).toBeNull())
    list.breaks()
    await vi.waitFor(() => expect(screen.of('pages', month).problem?.code).toBe('unreachable'))
    expect(metricsOf(screen.of('sources', ask('12mo')))).toEqual([7])
    screen.show({ pages: ask('7d'), sources: ask('28d') })
    const other = await asked(3)
    screen.show({ sources: ask('28d') })
    other.says({ question: 1, ...estimate(9) })
    await vi.waitFor(() => expect(metricsOf(screen.of('sources', ask('28d')))).toEqual([9]))
    expect(other.isGone).toBe(false)
    screen.show({})
    await vi.waitFor(() => expect(other.isGone).toBe(true))
  })

  it('is told nothing by a line that was read when the question was let go of', async () => {
    let says: (estimate: QueryAnswer) => void = () => {}
    screen = createScreen({
      ask: (_body, _signal, estimated) => {
        says = estimated
        return new Promise(() => {})
      },
      later: () => () => {},
      now: () => 0,
      changed: () => {},
    })
    screen.show({ totals: week })
    const before = of()
    screen.stop()
    says(estimate(8))
    expect(before.estimate).toBeNull()
    expect(of()).toMatchObject({ estimate: null, isStopped: true })
  })

  it('keeps an answer that is asked again, whatever is estimated meanwhile', async () => {
    begin()
    const one = await asked(1)
    one.says(answer([5]))
    one.ends()
    await vi.waitFor(() => expect(of().since).toBeNull())
    screen.again()
    const two = await asked(2)
    const after = answer([6])
    two.says(estimate(8), estimate(9))
    two.says(after)
    two.ends()
    await vi.waitFor(() => expect(of().since).toBeNull())
    expect(metricsOf(of())).toEqual([6])
    expect(shows.map(([shown]) => shown)).toEqual([null, [5], [5], [6]])
    // Nor when it fails.
    screen.again()
    const three = await asked(3)
    three.says(estimate(8), TOO_LONG)
    three.ends()
    await vi.waitFor(() => expect(of().problem?.code).toBe('query-timeout'))
    expect(of()).toMatchObject({ answer: after, estimate: null })
  })

  it('is not content with an estimate: it goes on waiting, and once more where it was told to', async () => {
    begin()
    const one = await asked(1)
    one.says(estimate(8))
    await vi.waitFor(() => expect(of().estimate).not.toBeNull())
    screen.again()
    screen.again('failed')
    expect(of()).toMatchObject({ answer: null, since: 7 })
    one.says(answer([5]))
    one.ends()
    const two = await asked(2)
    expect(metricsOf(of())).toEqual([5])
    two.says(answer([6]))
    two.ends()
    await vi.waitFor(() => expect(of()).toMatchObject({ answer: answer([6]), since: null }))
    expect(questions).toHaveLength(2)
  })

  it('stops what is only estimated, and keeps the estimate', async () => {
    begin()
    const one = await asked(1)
    one.says(estimate(8))
    await vi.waitFor(() => expect(of().estimate).not.toBeNull())
    screen.stop()
    expect(of()).toMatchObject({ answer: null, estimate: estimate(8), isStopped: true, since: null })
    await vi.waitFor(() => expect(one.isGone).toBe(true))
    screen.again('failed')
    const two = await asked(2)
    two.says(answer([5]))
    two.ends()
    await vi.waitFor(() => expect(of()).toMatchObject({ answer: answer([5]), estimate: null, isStopped: false }))
  })

  it('does not take it that nothing is there from a share of the visitors that has none of it', async () => {
    begin()
    const one = await asked(1)
    one.says({ ...estimate(), results: [] }, { ...answer([]), results: [] })
    one.ends()
    await vi.waitFor(() => expect(of().answer?.results).toEqual([]))
    expect(shows.map(([shown]) => shown)).toEqual([null, null])
  })
})

describe('totals', () => {
  const values = (totals: object) => Object.values(totals).map(({ value }) => value)
  const [early, counted] = [estimate(160, 150, 320, 2.1, 40, null, 480), answer([150, 140, 300, 2, 45, 30, 450])]

  it('of an estimate are all estimates, but for what it does not know', () => {
    const errors = Object.values(answered(early, 'all')).map(({ error }) => error)
    expect(errors).toEqual([0.03, 0.03, 0.03, 0.03, 0.03, undefined, 0.03])
  })

  it('follow the answer all down, though counts never go back otherwise', () => {
    const shown = kept({}, answered(early, 'all'), 'answer')
    const after = kept(shown, answered(counted, 'all'), 'answer')
    expect(after).toEqual(answered(counted, 'all'))
    expect(values(after)).toEqual([150, 140, 300, 2, 45, 30, 450])
    // Also where the answer was made of what was known before, and estimates visitors itself.
    const old = { exact: false, error: 0.016, fresh: new Date(NOW - 9_000).toISOString() }
    const other = answered({ ...counted, meta: { ...counted.meta, ...old } }, 'all')
    expect(kept(shown, other, 'answer')).toEqual(other)
  })

  it('that were counted do not give way to an estimate', () => {
    const shown = kept({}, answered(counted, 'all'), 'answer')
    const later = answered({ ...early, meta: { ...early.meta, fresh: new Date(NOW + 9_000).toISOString() } }, 'all')
    expect(kept(shown, later, 'answer')).toEqual(shown)
    expect(kept(shown, later, 'answer', false)).toEqual(shown)
  })

  it('of the stream take the place of an estimate', () => {
    const today = addHours(null, {
      start: NOW - 1,
      end: NOW + 1,
      hours: [[NOW, 'visits', '', 9, 6, 3, 1, 90_000]],
      visitors: null,
    })
    const shown = kept(kept({}, answered(early, 'all'), 'answer'), ticked(today, null, NOW), 'stream')
    expect(shown.visits).toEqual({ value: 3, at: NOW })
    expect(shown.visitors?.value).toBe(160)
  })
})
