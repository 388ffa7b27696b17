import { describe, expect, test } from 'vitest'
import { hashPassword, isPassword, isRight, PasswordsBusy } from '../../collector/people/passwords.ts'
import { PASSWORD } from '../fixtures/people.ts'

describe('a password', () => {
  test('is kept as a salted hash with its cost, by which only the same password is right', async () => {
    const [one, two] = [await hashPassword(PASSWORD), await hashPassword(PASSWORD)]
    expect(one).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/)
    expect(one).not.toBe(two)
    expect(await isRight(PASSWORD, one)).toBe(true)
    expect(await isRight(PASSWORD.toUpperCase(), one)).toBe(false)
  })

  test('is the same however it was typed (NFKC)', async () => {
    const composed = 'café \u212Bngstr\u00F6m'
    const decomposed = 'cafe\u0301 A\u030Angstro\u0308m'
    expect(await isRight(decomposed, await hashPassword(composed))).toBe(true)
  })

  test('of nobody is never right, though it is computed: that takes as long', async () => {
    expect(await isRight(PASSWORD, undefined)).toBe(false)
    const ms = async (kept?: string) => {
      const start = process.cpuUsage()
      await isRight('something else', kept)
      const { user, system } = process.cpuUsage(start)
      return user + system
    }
    const kept = await hashPassword(PASSWORD)
    const [known, unknown] = [await ms(kept), await ms()]
    // Of the processor, so that others on the machine change nothing; an answer without computing takes a thousandth.
    expect(unknown).toBeGreaterThan(known / 4)
    expect(known).toBeGreaterThan(unknown / 4)
  })

  test.each<[string, unknown, boolean]>([
    ['of 9 characters', 'x'.repeat(9), false],
    ['of 10', 'x'.repeat(10), true],
    ['of 10 that are two units each', '😀'.repeat(10), true],
    ['of 9 that are two units each', '😀'.repeat(9), false],
    ['of 200', 'x'.repeat(200), true],
    ['of 201', 'x'.repeat(201), false],
    ['of a megabyte', 'x'.repeat(1_000_000), false],
    ['that is no text', 1_234_567_890, false],
    ['that is half a character', `${'x'.repeat(10)}\uD83D`, false],
  ])('%s: %#', (_, text, may) => expect(isPassword(text)).toBe(may))
})

test('a flood is computed a few at a time, the rest is turned away at once, and then all is as before', async () => {
  const before = process.memoryUsage.rss()
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 5)
  const all = await Promise.allSettled(Array.from({ length: 200 }, () => isRight('x', undefined)))
  clearInterval(watch)
  const refused = all.filter(one => one.status === 'rejected')
  expect(refused.every(one => one.reason instanceof PasswordsBusy)).toBe(true)
  expect(all.length - refused.length).toBe(26)
  // Two of 128 MB; all 26 would take 3.3 GB.
  expect(most - before).toBeLessThan(600 * 1024 * 1024)
  expect(await isRight(PASSWORD, await hashPassword(PASSWORD))).toBe(true)
}, 120_000)
