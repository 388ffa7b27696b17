import { expect, test } from 'vitest'
import type { Delta } from '../../collector/journal/index.ts'
import { ACTIVE_MS } from '../../collector/live/active.ts'
import { WINDOW_MS } from '../../collector/live/counts.ts'
import { createRecord } from '../../collector/live/record.ts'
import { createRoom } from '../../collector/live/room.ts'
import { OTHER } from '../../collector/rollup/index.ts'
import { journalEvent } from '../fixtures/events.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const change = (dim: Delta['dim'], at: number, rows: Record<string, number>): Delta => ({
  site: 'shop',
  dim,
  at,
  values: Object.keys(rows),
  counters: Object.values(rows).map(n => [n, n, 0, 0, 0, 0]),
})

test('there is a tick only when something has changed', () => {
  const room = createRoom('UTC')
  expect(room.tick(NOW)).toBeUndefined()
  room.inserted([journalEvent({ id: 'a', visitor: 'v', ts: new Date(NOW) })], NOW)
  expect(room.tick(NOW)).toMatchObject({ active: 1, more: 0, seconds: [[NOW, 1]], events: [{ id: 'a' }] })
  expect(room.tick(NOW + 50)).toBeUndefined()
  room.settled([change('total', NOW, { '': 1 })], [])
  expect(room.tick(NOW + 100)).toMatchObject({ deltas: [[NOW, 'total', '', 1, 1]], events: [], seconds: [] })
  expect(room.tick(NOW + ACTIVE_MS)).toBeUndefined()
  expect(room.tick(NOW + ACTIVE_MS + 1)).toMatchObject({ active: 0 })
})

test('a tick shows 50 events at most and says how many more there were; every one is counted', () => {
  const room = createRoom('UTC')
  const events = Array.from({ length: 120 }, (_, i) => journalEvent({ id: `e${i}`, ts: new Date(NOW) }))
  room.inserted(events.slice(0, 70), NOW)
  room.inserted(events.slice(70), NOW + 999)
  const tick = room.tick(NOW + 999)
  expect(tick?.events.map(({ id }) => id)).toEqual(events.slice(-50).map(({ id }) => id))
  expect([tick?.more, tick?.seconds]).toEqual([70, [[NOW, 120]]])
  expect(room.view(NOW).recent).toHaveLength(50)
})

test('what is shown of an event names nobody', () => {
  const room = createRoom('UTC')
  room.inserted([journalEvent({ id: 'a', visitor: 'V', session: 'S', ts: new Date(NOW) })], NOW)
  expect(JSON.stringify([room.tick(NOW), room.view(NOW)])).not.toMatch(/"(V|S|visitor|session|key)"/)
})

test('an event that comes late does not make its visitor an active one', () => {
  const room = createRoom('UTC')
  room.inserted([journalEvent({ id: 'a', visitor: 'v', ts: new Date(NOW - ACTIVE_MS - 1) })], NOW)
  expect(room.tick(NOW)?.active).toBe(0)
})

test('minutes and seconds leave the window', () => {
  const room = createRoom('UTC')
  room.settled([change('total', NOW, { '': 3 })], [])
  room.inserted([journalEvent({ id: 'a' })], NOW)
  expect(room.view(NOW + WINDOW_MS)).toMatchObject({ deltas: [[NOW, 'total', '', 3, 3]], seconds: [] })
  expect(room.view(NOW + WINDOW_MS + 1).deltas).toEqual([])
})

test('a snapshot has a bound; what is beyond becomes (other), and no total is given up', () => {
  const room = createRoom('UTC')
  const minutes = [NOW, NOW - 60_000]
  for (const at of minutes) {
    for (let part = 0; part < 15; part++) {
      const paths = Array.from({ length: 1_000 }, (_, i) => [`/${part}/${i}`, part + 1] as const)
      room.settled([change('page', at, Object.fromEntries(paths))], [])
    }
    room.settled([change('total', at, { '': 1 })], [])
  }
  const { deltas } = room.view(NOW)
  expect(deltas.length).toBeLessThanOrEqual(20_000 + 2)
  for (const at of minutes) {
    const sum = (dim: string) =>
      deltas.filter(([a, d]) => a === at && d === dim).reduce((n, [, , , events]) => n + events, 0)
    expect([sum('page'), sum('total')]).toEqual([120_000, 1])
  }
  expect(deltas.filter(([, dim]) => dim === 'total').map(([, , value]) => value)).toEqual(['', ''])
  expect(deltas.some(([, dim, value]) => dim === 'page' && value === OTHER)).toBe(true)
})

test('what a room holds has a bound, too, and loses no event', () => {
  const room = createRoom('UTC')
  for (let part = 0; part < 210; part++) {
    const paths = Array.from({ length: 1_000 }, (_, i) => [`/${part}/${i}`, 1] as const)
    room.settled([change('page', NOW, Object.fromEntries(paths)), change('total', NOW, { '': 1_000 })], [])
    room.tick(NOW)
  }
  const { deltas } = room.view(NOW)
  const sum = (dim: string) => deltas.filter(([, d]) => d === dim).reduce((n, [, , , events]) => n + events, 0)
  expect([sum('page'), sum('total')]).toEqual([210_000, 210_000])
})

test('a record gives back exactly what came after an id, as long as it holds that', () => {
  const record = createRecord()
  const first = record.lastId()
  const ids = ['a', 'b', 'c'].map(data => record.add(data))
  expect(record.after(first)?.map(({ data }) => data)).toEqual(['a', 'b', 'c'])
  expect(record.after(ids[0] ?? '')?.map(({ data }) => data)).toEqual(['b', 'c'])
  expect(record.after(ids[2] ?? '')).toEqual([])
  const name = first.split('.')[0]
  for (const id of ['', 'x.1', `${name}.4`, `${name}.-1`, `${name}.x`, createRecord().lastId()])
    expect(record.after(id)).toBeUndefined()
  for (let i = 0; i < 20; i++) record.add('x'.repeat(100_000))
  expect(record.after(ids[0] ?? '')).toBeUndefined()
  expect(record.after(`${name}.22`)).toHaveLength(1)
})
