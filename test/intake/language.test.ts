import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RawEvent } from '../../collector/settle/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({ sites: [{ key: 'shop', consent: 'none' }] })
})
afterAll(() => it.close())

const languageOf = async (accepted: string, told?: string) => {
  const body = envelope([{}])
  const p = told === undefined ? body.p : { ...body.p, l: told }
  expect((await it.send({ ...body, p }, { 'accept-language': accepted })).status).toBe(200)
  await it.settled()
  const event = await it.db.collection<RawEvent>('events').findOne({ id: `${body.w}.0` })
  expect(event).not.toBeNull()
  return event?.language
}

describe('the language of an event', () => {
  test.each([
    ['de', 'de'],
    ['en-GB,en;q=0.9,de;q=0.8', 'en-GB'],
    ['zh-Hant-TW ;q=1', 'zh-Hant-TW'],
    // Clients that are no browser say that they take any.
    ['*', undefined],
    ['', undefined],
    // none of BCP 47
    ['<script>', undefined],
    ['en_US@posix', undefined],
    [`en-${'x'.repeat(40)}`, undefined],
    [`en${'-abcdefgh'.repeat(9)}`, undefined],
  ])('is the first that its browser accepts: %s', async (accepted, language) => {
    expect(await languageOf(accepted)).toBe(language)
  })

  test('is the one that is told beside it, where there is one', async () => {
    expect(await languageOf('en', 'fr')).toBe('fr')
  })
})
