import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ConsentAnswer, readConsents } from '../../collector/query/index.ts'
import type { Envelope } from '../../tag/wire.ts'
import { envelope, pageViewId, startCollector, type TestCollector } from '../fixtures/collector.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-03-29T12:00:00Z')

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({
    clock: () => NOW,
    sites: [
      { consent: 'required', timezone: 'Europe/Berlin' },
      { key: 'other', consent: 'required' },
      { key: 'empty', consent: 'required' },
      { key: 'paged', consent: 'required' },
    ],
  })
})
afterAll(() => it.close())

interface Answer {
  site: string
  consents: ConsentAnswer[]
  next: string | null
}

/** Tells of a decision so many ms ago, and gives back the id of its record. */
async function decide(purposes: string[], ago: number, head: Partial<Envelope> = {}, headers?: HeadersInit) {
  const { i: _, k: _k, ...bare } = envelope([{ n: 'consent', t: ago, d: { purposes, signal: 'api', version: 'v2' } }])
  const body = { ...bare, c: purposes.length > 0 ? 'g' : 'd', ...head } as Envelope
  const response = await it.send(body, headers)
  expect(await response.json()).toMatchObject({ accepted: 1 })
  await it.settled()
  return `${body.s}:${body.w}.0`
}
const read = async (query: string): Promise<Answer> => {
  const response = await it.ask(`/api/v2/consents?${query}`)
  expect(response.status).toBe(200)
  return (await response.json()) as Answer
}
const ids = ({ consents }: Pick<Answer, 'consents'>) => consents.map(({ id }) => id)

test('a grant, a change of mind and a withdrawal are three records, each naming the one before it', async () => {
  const w = pageViewId()
  const granted = await decide(['measure', 'identify', 'share'], 3 * DAY, { i: 'anna', k: 'k1' })
  const changed = await decide(['measure', 'identify'], 2 * DAY, { i: 'anna', k: 'k2', w })
  // Of the same page view, and naming nobody.
  const { i: _, k: _k, ...bare } = envelope([{ n: 'consent', q: 7, t: DAY, d: { purposes: [], signal: 'api' } }])
  await it.deliver({ ...bare, c: 'd', w })
  await it.settled()
  const stranger = await decide(['measure', 'identify'], DAY / 2, { i: 'berta', k: 'k3' })
  const withdrawn = `shop:${w}.7`

  const { consents, next } = await read('site=shop')
  expect(next).toBeNull()
  expect(consents.map(({ id, visitor, supersedes, withdrawal }) => [id, visitor, supersedes, withdrawal])).toEqual([
    [granted, 'anna', null, false],
    [changed, 'anna', granted, false],
    [withdrawn, null, changed, true],
    [stranger, 'berta', null, false],
  ])
  expect(consents[1]).toMatchObject({
    site: 'shop',
    view: w,
    decided: new Date(NOW - 2 * DAY).toISOString(),
    purposes: { measure: 'granted', identify: 'granted', share: 'refused' },
    signal: 'api',
    version: 'v2',
    method: 'call',
    jurisdiction: 'unknown',
    schema: 1,
  })
  expect(ids(await read('site=shop&visitor=anna'))).toEqual([granted, changed, withdrawn])
  expect(ids(await read('site=shop&visitor=berta'))).toEqual([stranger])
  expect(ids(await read('site=shop&visitor=nobody'))).toEqual([])
})

test('from and to are instants, or days of the site: from is included, to is not', async () => {
  const all = ids(await read('site=shop'))
  const instant = new Date(NOW - 2 * DAY).toISOString()
  expect(ids(await read(`site=shop&from=${instant}`))).toEqual(all.slice(1))
  expect(ids(await read(`site=shop&to=${instant}`))).toEqual(all.slice(0, 1))
  expect(ids(await read('site=shop&from=2026-03-27&to=2026-03-28'))).toEqual(all.slice(1, 2))
  // In Berlin the day begins an hour before it does in UTC.
  const early = await decide(['measure'], NOW - Date.parse('2026-03-23T23:30:00Z'), { s: 'other' })
  expect(ids(await read('site=other&from=2026-03-24'))).toEqual([])
  expect(ids(await read('site=other&from=2026-03-23&to=2026-03-24'))).toEqual([early])
})

test('pages are stable: what is added meanwhile moves nothing, and each record comes once', async () => {
  const expected: string[] = []
  // Many of the same moment: their ids order them.
  for (let i = 0; i < 5; i++) expected.push(await decide(['measure'], DAY, { s: 'paged' }))
  expected.sort()
  expected.unshift(await decide(['measure'], 2 * DAY, { s: 'paged' }))
  const got: string[] = []
  let cursor = ''
  for (let i = 0; ; i++) {
    const answer = await read(`site=paged&limit=2${cursor}`)
    expect(answer.consents.length).toBeLessThanOrEqual(2)
    got.push(...ids(answer))
    if (i === 0) await decide(['measure'], 3 * DAY, { s: 'paged' })
    if (answer.next === null) break
    cursor = `&cursor=${answer.next}`
  }
  expect(got).toEqual(expected)
})

test('as lines of JSON it is the same, all at once', async () => {
  const response = await it.ask('/api/v2/consents?site=paged', { headers: { accept: 'application/x-ndjson' } })
  expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/)
  expect(response.headers.get('cache-control')).toBe('no-store')
  const lines = (await response.text()).trimEnd().split('\n')
  expect(lines.map(line => JSON.parse(line))).toEqual((await read('site=paged&limit=1000')).consents)
  const none = await it.ask('/api/v2/consents?site=empty', { headers: { accept: 'application/x-ndjson' } })
  expect(await none.text()).toBe('')
})

test('Global Privacy Control takes sharing out of what is stored, and the record says so', async () => {
  await decide(['measure', 'identify', 'share'], 1_000, { s: 'empty', i: 'carla', k: 'k4' }, { 'sec-gpc': '1' })
  const { consents } = await read('site=empty')
  expect(consents).toMatchObject([{ gpc: true, purposes: { identify: 'granted', share: 'refused' } }])
  const events = await it.db.collection('events').find({ 'meta.site': 'empty' }).toArray()
  expect(JSON.stringify(events)).not.toContain('share')
})

test('what a record supersedes is found by an index: the rest of the site is not read for it', async () => {
  const consents = it.db.collection<{ _id: string }>('consents')
  const [model] = await consents.find({ _id: /^shop:/, granted: { $size: 0 } } as object).toArray()
  const many = Array.from({ length: 2_000 }, (_, i) => ({ ...model, _id: `many:${i}.0`, site: 'many', view: `${i}` }))
  await consents.insertMany(many.map((one, i) => (i % 2 ? { ...one, visitor: `v${i % 400}` } : one)))
  const answers: ConsentAnswer[] = []
  const examined = async () => {
    const { opcounters, metrics } = await it.db.admin().command({ serverStatus: 1 })
    return { ...opcounters, keys: Number(metrics.queryExecutor.scanned) }
  }
  const before = await examined()
  for await (const answer of readConsents(it.db, { site: 'many', limit: 500 })) answers.push(answer)
  expect(answers).toHaveLength(500)
  // Two looks a record, of a few keys each; one that read the site would take a million.
  expect((await examined()).keys - before.keys).toBeLessThan(50_000)
  await consents.deleteMany({ site: 'many' } as object)
})

describe('a problem', () => {
  test.each([
    ['', 'parameter-invalid', 400],
    ['site=nobody', 'site-unknown', 404],
    ['site=shop&site=other', 'parameter-invalid', 400],
    ['site=shop&visitors=anna', 'parameter-invalid', 400],
    ['site=shop&visitor[$ne]=x', 'parameter-invalid', 400],
    ['site=shop&from=yesterday', 'parameter-invalid', 400],
    ['site=shop&to=2026-02-30', 'parameter-invalid', 400],
    ['site=shop&limit=0', 'parameter-invalid', 400],
    ['site=shop&limit=1001', 'parameter-invalid', 400],
    ['site=shop&limit=1e2', 'parameter-invalid', 400],
    ['site=shop&cursor=AAAA', 'parameter-invalid', 400],
  ])('%s → %s', async (query, code, status) => {
    const response = await it.ask(`/api/v2/consents?${query}`)
    expect([response.status, response.headers.get('content-type')]).toEqual([
      status,
      expect.stringContaining('application/problem+json'),
    ])
    expect(await response.json()).toMatchObject({ code, status })
  })

  test('without the owner’s key nothing is given out', async () => {
    const response = await fetch(`${it.url}/api/v2/consents?site=shop`)
    expect(response.status).toBe(401)
    expect(await response.text()).not.toContain('anna')
  })
})
