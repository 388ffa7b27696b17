import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Credential } from '../collector/access.ts'
import type { Caller } from '../collector/caller.ts'
import { createLog } from '../collector/log.ts'
import type { Share } from '../collector/people/index.ts'
import { createViewers } from '../collector/viewers.ts'

const share = (id: string): Caller => ({
  kind: 'share',
  share: {
    id,
    token: id,
    site: 'shop',
    name: id,
    password: false,
    embed: false,
    createdAt: new Date(0),
  } satisfies Share,
})
const shown = (token: string): Credential => ({ kind: 'share', token, ticket: '' })

let answers: Map<string, Caller | Error>
let asked: string[]
let forget: () => void
const start = () =>
  createViewers(
    {
      async whose(credential) {
        const token = credential?.kind === 'share' ? credential.token : ''
        asked.push(token)
        const answer = answers.get(token) ?? 'share-unknown'
        if (answer instanceof Error) throw answer
        return answer
      },
      onForget: listener => {
        forget = listener
      },
    },
    createLog('silent'),
  )
beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  answers = new Map([
    ['a', share('a')],
    ['b', share('b')],
  ])
})
afterEach(() => vi.useRealTimers())

test('each credential is looked up once a second, however many watch by it, and not when nobody does', async () => {
  const viewers = start()
  const leave = ['a', 'a', 'a', 'b'].map(id => viewers.add(share(id), shown(id), 'shop', () => {}))
  await vi.advanceTimersByTimeAsync(2_000)
  expect(asked.sort()).toEqual(['a', 'a', 'b', 'b'])
  for (const one of leave) one?.()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(asked).toHaveLength(4)
  expect(vi.getTimerCount()).toBe(0)
})

test('who may no longer watch is ended, at once where it was changed here; others are not', async () => {
  const viewers = start()
  const ended: string[] = []
  for (const id of ['a', 'a', 'b']) viewers.add(share(id), shown(id), 'shop', () => void ended.push(id))
  answers.delete('a')
  forget()
  await vi.advanceTimersByTimeAsync(0)
  expect(ended).toEqual(['a', 'a'])
  // Of another site now.
  answers.set('b', { ...share('b'), share: { ...(share('b') as { share: Share }).share, site: 'blog' } } as Caller)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(ended).toContain('b')
})

test('while it can not be looked up nobody is ended, and afterwards who has to be', async () => {
  const viewers = start()
  let ended = 0
  viewers.add(share('a'), shown('a'), 'shop', () => ended++)
  answers.set('a', new Error('away'))
  await vi.advanceTimersByTimeAsync(3_000)
  expect(ended).toBe(0)
  answers.delete('a')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(ended).toBe(1)
})

test('by one shared link a thousand watch and no more, by whichever ticket; who leaves makes place', () => {
  const viewers = start()
  const add = (id: string, ticket: string) =>
    viewers.add(share(id), { kind: 'share', token: id, ticket }, 'shop', () => {})
  const all = Array.from({ length: 1_000 }, (_, i) => add('a', String(i % 7)))
  expect(all.every(Boolean)).toBe(true)
  expect(add('a', 'another')).toBeUndefined()
  expect(add('b', '')).toBeDefined()
  expect(viewers.add({ kind: 'owner' }, { kind: 'bearer', text: 'key' }, 'shop', () => {})).toBeDefined()
  all[0]?.()
  all[0]?.()
  expect(add('a', 'another')).toBeDefined()
  expect(add('a', 'another')).toBeUndefined()
})
