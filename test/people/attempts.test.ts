import { expect, test } from 'vitest'
import { ATTEMPTS, createAttempts } from '../../collector/people/attempts.ts'

const QUARTER = 15 * 60_000
let now = 0
const start = () => {
  now = 10 * QUARTER
  return createAttempts(() => now)
}
const tries = (attempts: ReturnType<typeof start>, n: number, network: string, subject?: string) =>
  Array.from({ length: n }, () => attempts.begin(network, subject)).filter(one => 'giveBack' in one).length

test('an account is tried a few times from a network, and then only from others', () => {
  const attempts = start()
  expect(tries(attempts, 50, '203.0.113.0', 'ada')).toBe(ATTEMPTS.both)
  expect(tries(attempts, 1, '203.0.113.0', 'bob')).toBe(1)
  expect(tries(attempts, 1, '198.51.100.0', 'ada')).toBe(1)
})

test('from many networks an account is tried so often and no more', () => {
  const attempts = start()
  const counts = Array.from({ length: 100 }, (_, i) => tries(attempts, 5, `10.0.${i}.0`, 'ada'))
  expect(counts.reduce((a, b) => a + b)).toBe(ATTEMPTS.subject)
})

test('a network tries so many accounts and no more', () => {
  const attempts = start()
  const counts = Array.from({ length: 100 }, (_, i) => tries(attempts, 1, '203.0.113.0', `somebody ${i}`))
  expect(counts.reduce((a, b) => a + b)).toBe(ATTEMPTS.network)
})

test('what was right is not counted; what is on its way is', () => {
  const attempts = start()
  for (let i = 0; i < 100; i++) {
    const one = attempts.begin('203.0.113.0', 'ada')
    if ('giveBack' in one) one.giveBack()
  }
  expect(tries(attempts, 50, '203.0.113.0', 'ada')).toBe(ATTEMPTS.both)
})

test('after a quarter of an hour all is forgotten, and says when that is', () => {
  const attempts = start()
  now += QUARTER - 30_500
  tries(attempts, 50, '203.0.113.0', 'ada')
  expect(attempts.begin('203.0.113.0', 'ada')).toEqual({ retryAfter: 31 })
  now += 30_500
  expect(tries(attempts, 1, '203.0.113.0', 'ada')).toBe(1)
})

test('right after the window has ended it gives nothing back to the next one', () => {
  const attempts = start()
  const before = attempts.begin('203.0.113.0', 'ada')
  now += QUARTER
  expect(tries(attempts, 4, '203.0.113.0', 'ada')).toBe(4)
  if ('giveBack' in before) before.giveBack()
  expect(tries(attempts, 50, '203.0.113.0', 'ada')).toBe(ATTEMPTS.both - 4)
})
