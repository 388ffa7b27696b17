import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COUNTERS, type Delta, type JournalEvent } from '../../collector/journal/index.ts'
import { MINUTE_MS, sumDeltas } from '../../collector/settle/deltas.ts'
import {
  applyEvent,
  draftOf,
  MAX_STEPS,
  openSession,
  type Session,
  sessionKey,
} from '../../collector/settle/sessions.ts'
import { journalEvent } from '../fixtures/events.ts'

const T0 = Date.parse('2026-03-01T10:00:00Z')

/** Events of three sessions and of none, each at a moment of its own within half an hour. */
const someEvents = fc
  .uniqueArray(
    fc.record({
      offset: fc.integer({ min: 0, max: 30 * MINUTE_MS }),
      name: fc.constantFrom('pageview', 'pageview', 'click', 'impression', 'scroll', 'engagement'),
      props: fc.record(
        {
          ms: fc.integer({ min: 1, max: 60_000 }),
          campaign: fc.constantFrom('spring', ''),
          campaign_id: fc.constant(7),
        },
        { requiredKeys: ['ms'] },
      ),
      campaign: fc.constantFrom(undefined, 'of-the-link'),
      path: fc.constantFrom('/', '/a', '/b', '/c'),
      source: fc.constantFrom('direct', 'news.example'),
      session: fc.constantFrom('s1', 's2', 's3', undefined),
      bot: fc.constantFrom(undefined, undefined, 'bot'),
    }),
    { selector: ({ offset }) => offset, minLength: 1, maxLength: 40 },
  )
  .map(list =>
    list.map(({ offset, session, bot, ...rest }, i) =>
      journalEvent({
        id: `e${i}`,
        ts: new Date(T0 + offset),
        ...rest,
        ...(session !== undefined && { session }),
        ...(bot !== undefined && { bot }),
      }),
    ),
  )

/** The same events in two orders, the second divided into pages. */
const twoOrders = someEvents.chain(events =>
  fc.record({
    events: fc.constant(events),
    shuffled: fc.shuffledSubarray(events, { minLength: events.length }),
    cuts: fc.array(fc.integer({ min: 0, max: events.length }), { maxLength: 5 }),
  }),
)

const pagesOf = (events: JournalEvent[], cuts: number[]): JournalEvent[][] => {
  const places = [0, ...cuts.toSorted((a, b) => a - b), events.length]
  return places.slice(1).map((end, i) => events.slice(places[i], end))
}

/** Settles pages one after another, as a collector does, with sessions in a map. */
function settle(pages: JournalEvent[][]): { sessions: Map<string, Session>; deltas: Delta[] } {
  const sessions = new Map<string, Session>()
  const deltas = pages.flatMap(events => {
    const sum = sumDeltas()
    const drafts = new Map<string, Session>()
    for (const event of events) {
      sum.event(event)
      const key = sessionKey(event)
      if (key === undefined) continue
      const held = sessions.get(key)
      const draft = drafts.get(key) ?? (held ? draftOf(held) : openSession(event, key))
      drafts.set(key, draft)
      applyEvent(draft, event)
    }
    for (const [key, draft] of drafts) {
      sum.session(sessions.get(key), draft)
      sessions.set(key, draft)
    }
    return sum.deltas()
  })
  return { sessions, deltas }
}

type Sums = Map<string, number[]>
const add = (sums: Sums, key: string, change: number[]) => {
  const row = sums.get(key) ?? COUNTERS.map(() => 0)
  sums.set(
    key,
    row.map((n, c) => n + (change[c] ?? 0)),
  )
}
const withoutZeros = (sums: Sums): Sums => new Map([...sums].filter(([, row]) => row.some(n => n !== 0)).sort())

function sumUp(deltas: Delta[]): Sums {
  const sums: Sums = new Map()
  for (const { dim, at, values, counters } of deltas) {
    for (const [i, value] of values.entries()) add(sums, `${dim} ${at} ${value}`, counters[i] ?? [])
  }
  return withoutZeros(sums)
}

/** Counts anew from the events alone, in the plainest way. */
function recount(events: JournalEvent[]): Sums {
  const sums: Sums = new Map()
  const minute = (at: number) => Math.floor(at / MINUTE_MS) * MINUTE_MS
  for (const { ts, name, path, bot, props, campaign: ofTheLink } of events) {
    const row = [1, name === 'pageview' ? 1 : 0, 0, 0, 0, bot === undefined ? 0 : 1]
    add(sums, `total ${minute(+ts)} `, row)
    add(sums, `name ${minute(+ts)} ${name}`, row)
    if (name === 'pageview') add(sums, `page ${minute(+ts)} ${path}`, row)
    if (bot !== undefined) add(sums, `bot ${minute(+ts)} ${bot}`, row)
    const { campaign, campaign_id: id } = props as { campaign?: string; campaign_id?: number }
    const shown = campaign || (id === undefined ? ofTheLink : `${id}`)
    if ((name === 'impression' || name === 'click') && bot === undefined && shown !== undefined)
      add(sums, `${name} ${minute(+ts)} ${shown}`, row)
  }
  for (const key of new Set(events.flatMap(event => sessionKey(event) ?? []))) {
    const own = events.filter(event => sessionKey(event) === key)
    const times = own.map(({ ts }) => +ts)
    const [start, end] = [Math.min(...times), Math.max(...times)]
    const views = own.filter(({ name }) => name === 'pageview').length
    add(sums, `total ${minute(start)} `, [0, 0, 1, views > 1 ? 0 : 1, end - start, 0])
  }
  return withoutZeros(sums)
}

const facts = ({ visitor: _, ...rest }: Session) => rest

describe('whatever the order in which events arrive, and however they are divided into pages', () => {
  test('sessions are the same: entry, exit, source, start, end, views, steps', () => {
    fc.assert(
      fc.property(twoOrders, ({ events, shuffled, cuts }) => {
        const [straight, disordered] = [
          settle([events.toSorted((a, b) => +a.ts - +b.ts)]),
          settle(pagesOf(shuffled, cuts)),
        ]
        expect(disordered.sessions.size).toBe(straight.sessions.size)
        for (const [key, session] of straight.sessions) {
          const other = disordered.sessions.get(key)
          expect(other && facts(other)).toEqual(facts(session))
        }
      }),
      { numRuns: 300 },
    )
  })

  test('sessions are what their events say', () => {
    fc.assert(
      fc.property(twoOrders, ({ events, shuffled, cuts }) => {
        for (const [key, session] of settle(pagesOf(shuffled, cuts)).sessions) {
          const own = events.filter(event => sessionKey(event) === key).toSorted((a, b) => +a.ts - +b.ts)
          const views = own.filter(({ name }) => name === 'pageview')
          const known = views.length > 0 ? views : own
          expect(session).toMatchObject({
            events: own.length,
            views: views.length,
            engaged: own.reduce((sum, { name, props }) => sum + (name === 'engagement' ? Number(props?.ms) : 0), 0),
            start: own[0]?.ts,
            end: own.at(-1)?.ts,
            entry: known[0]?.path,
            source: known[0]?.source,
            exit: known.at(-1)?.path,
            steps: own.map(({ ts, name, path }) => ({ at: ts, name, path })),
          })
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the deltas of all pages together are a plain recount of the events', () => {
    fc.assert(
      fc.property(twoOrders, ({ events, shuffled, cuts }) => {
        const { deltas } = settle(pagesOf(shuffled, cuts))
        expect(sumUp(deltas)).toEqual(recount(events))
        for (const { values, counters } of deltas) {
          expect(counters).toHaveLength(values.length)
          expect(new Set(values).size).toBe(values.length)
        }
      }),
      { numRuns: 300 },
    )
  })
})

test('a second view takes the bounce back, and an earlier one moves the session to its own minute', () => {
  const view = (id: string, offset: number) => journalEvent({ id, session: 's', ts: new Date(T0 + offset) })
  const { deltas } = settle([[view('b', 5 * MINUTE_MS)], [view('c', 6 * MINUTE_MS)], [view('a', -MINUTE_MS)]])
  const totals = deltas
    .filter(({ dim }) => dim === 'total')
    .map(({ at, counters }) => [(at - T0) / MINUTE_MS, counters[0]])
  expect(totals).toEqual([
    [5, [1, 1, 1, 1, 0, 0]],
    [5, [0, 0, 0, -1, MINUTE_MS, 0]],
    [6, [1, 1, 0, 0, 0, 0]],
    [-1, [1, 1, 1, 0, 7 * MINUTE_MS, 0]],
    [5, [0, 0, -1, 0, -MINUTE_MS, 0]],
  ])
})

test('engaged time is the sum of what engagement events tell, and of nothing else; what is no time adds nothing', () => {
  const event = (id: string, name: string, ms: unknown) =>
    journalEvent({ id, name, session: 's', ts: new Date(T0), props: { ms } })
  const engaged = (...events: JournalEvent[]) => settle([events]).sessions.get('shop:s')?.engaged
  expect(engaged(event('a', 'engagement', 1_200), event('b', 'click', 5_000), event('c', 'engagement', 300.4))).toBe(
    1_500,
  )
  const wrong = [-5, '12', null, Number.NaN, 1e15, undefined].map((ms, i) => event(`${i}`, 'engagement', ms))
  expect(engaged(...wrong, event('a', 'engagement', 7))).toBe(7)
})

test('a draft is a copy: the session that it was made of stays as it was', () => {
  const first = journalEvent({ id: 'a', ts: new Date(T0), session: 's' })
  const session = openSession(first, 'shop:s')
  applyEvent(session, first)
  const before = structuredClone(session)
  const [event, draft] = [journalEvent({ id: 'b', ts: new Date(T0 - 1), session: 's', visitor: 'v' }), draftOf(session)]
  const untouched = structuredClone(event)
  applyEvent(draft, event)
  expect(draft.steps).toHaveLength(2)
  expect(session).toEqual(before)
  expect(event).toEqual(untouched)
})

test('steps stop at 1,000 and say so; everything else goes on', () => {
  const event = (i: number) => journalEvent({ id: `e${i}`, session: 's', ts: new Date(T0 + i) })
  const session = openSession(event(0), 'shop:s')
  for (let i = 0; i < MAX_STEPS; i++) applyEvent(session, event(i))
  expect(session).not.toHaveProperty('stepsCut')
  applyEvent(session, event(MAX_STEPS))
  expect(session).toMatchObject({
    views: MAX_STEPS + 1,
    events: MAX_STEPS + 1,
    end: new Date(T0 + MAX_STEPS),
    stepsCut: true,
  })
  expect(session.steps).toHaveLength(MAX_STEPS)
})
