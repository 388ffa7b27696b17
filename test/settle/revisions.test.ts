import { expect, test } from 'vitest'
import {
  applyEvent,
  noteEvent,
  noteRevision,
  openSession,
  type Revised,
  type Session,
} from '../../collector/settle/index.ts'
import { journalEvent } from '../fixtures/events.ts'

const at = (time: string) => new Date(`2026-10-25T${time}Z`)
const opened = (time: string, change: object = {}): Session => {
  const event = journalEvent({ id: 'a', ts: at(time), session: 's', ...change })
  const session = openSession(event, 'shop:s')
  applyEvent(session, event)
  return session
}
const after = (before: Session, time: string, change: object = {}): Session => {
  const draft = structuredClone(before)
  applyEvent(draft, journalEvent({ id: 'b', ts: at(time), session: 's', name: 'click', ...change }))
  return draft
}
const noted = (before: Session | undefined, now: Session | undefined) => {
  const revised: Revised = new Map()
  noteRevision(revised, before, now)
  return Object.fromEntries(
    [...(revised.get('shop')?.visits ?? [])].map(([hour, n]) => [new Date(hour).toISOString().slice(11, 13), n]),
  )
}

test('a session that begins, or ends to be, revises the hour in which it begins', () => {
  const session = opened('10:59:59')
  expect(noted(undefined, session)).toEqual({ 10: 1 })
  expect(noted(session, undefined)).toEqual({ 10: 1 })
})

test('what it does later revises nothing, but for what it is told apart by', () => {
  const session = opened('10:10:00')
  expect(noted(session, after(session, '11:20:00'))).toEqual({})
  expect(noted(session, after(session, '11:20:00', { name: 'pageview', path: '/shoes' }))).toEqual({})
  expect(noted(session, after(session, '11:20:00', { name: 'pageview', path: '/hats' }))).toEqual({ 10: 1 })
  expect(noted(session, after(session, '11:20:00', { visitor: 'v' }))).toEqual({ 10: 1 })
})

test('one that turns out to have begun sooner revises both hours, and within an hour that one', () => {
  const session = opened('10:10:00')
  expect(noted(session, after(session, '09:50:00'))).toEqual({ '09': 1, 10: 1 })
  expect(noted(session, after(session, '10:05:00'))).toEqual({ 10: 1 })
})

test('each visit of a cookieless day revises its hour, and a new one all of them', () => {
  const session = opened('10:10:00', { consent: 'l' })
  const later = after(session, '14:00:00', { consent: 'l' })
  expect(noted(session, later)).toEqual({ 10: 1, 14: 1 })
  expect(noted(later, after(later, '14:10:00', { consent: 'l' }))).toEqual({})
})

test('each event counts in its hour, without bots', () => {
  const revised: Revised = new Map()
  for (const time of ['10:00:00', '10:59:59', '11:00:00']) noteEvent(revised, journalEvent({ id: time, ts: at(time) }))
  noteEvent(revised, journalEvent({ id: 'c', ts: at('12:00:00'), bot: 'agent' }))
  expect([...(revised.get('shop')?.events ?? [])].map(([hour, n]) => [new Date(hour).getUTCHours(), n])).toEqual([
    [10, 2],
    [11, 1],
  ])
})
