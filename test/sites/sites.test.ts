import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  addSite,
  DOCTOR_SITE,
  listSites,
  type Site,
  SiteError,
  setSite,
  startOfDay,
} from '../../collector/sites/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector()
})
afterAll(() => it.close())

const site = (change: Partial<Site> = {}): Site => ({
  key: 'site',
  domain: 'site.example',
  consent: 'required',
  timezone: 'Europe/Berlin',
  ...change,
})
const tag = (key: string) => fetch(`${it.url}/t/${key}.js`)
const within = { timeout: 1_000, interval: 20 }

describe('a change acts in a running collector within a second', () => {
  test('a site that was added has its tag, takes events, and is in the API', async () => {
    const one = envelope([{}], { s: 'added', c: 'g' })
    expect((await tag('added')).status).toBe(404)
    expect((await it.send(one)).status).toBe(404)
    await addSite(it.db, site({ key: 'added' }))
    await vi.waitFor(async () => expect((await tag('added')).status).toBe(200), within)
    const script = await (await tag('added')).text()
    expect(script).toContain('"site":"added"')
    expect(await it.deliver(one)).toEqual({ accepted: 1, rejected: [] })
    expect((await it.ask('/api/v2/stats?site=added')).status).toBe(200)
    const { sites } = (await (await it.ask('/api/v2/sites')).json()) as { sites: Site[] }
    expect(sites).toContainEqual({ ...site({ key: 'added' }), role: 'owner' })
  })

  test('of twenty sites that were added at the same moment each is there', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `many-${i}`)
    await Promise.all(keys.map(key => addSite(it.db, site({ key }))))
    await vi.waitFor(async () => {
      for (const key of keys) expect((await tag(key)).status).toBe(200)
    }, within)
  })

  test('another consent mode is in the tag, under another etag', async () => {
    await addSite(it.db, site({ key: 'mode' }))
    await vi.waitFor(async () => expect(await (await tag('mode')).text()).toContain('"site":"mode"'), within)
    expect(await (await tag('mode')).text()).not.toContain('"mode":"none"')
    const etag = (await tag('mode')).headers.get('etag')
    await setSite(it.db, 'mode', { consent: 'none' })
    await vi.waitFor(async () => expect(await (await tag('mode')).text()).toContain('"mode":"none"'), within)
    expect((await tag('mode')).headers.get('etag')).not.toBe(etag)
  })

  test('a site that was removed is unknown', async () => {
    await addSite(it.db, site({ key: 'gone' }))
    await vi.waitFor(async () => expect((await tag('gone')).status).toBe(200), within)
    await it.db.collection<{ _id: string }>('sites').deleteOne({ _id: 'gone' })
    await vi.waitFor(async () => expect((await tag('gone')).status).toBe(404), within)
    expect((await it.ask('/api/v2/stats?site=gone')).status).toBe(404)
  })
})

describe('a site', () => {
  test('is named once: the second of the same key is refused and changes nothing', async () => {
    await addSite(it.db, site({ key: 'twice' }))
    await expect(addSite(it.db, site({ key: 'twice', domain: 'other.example' }))).rejects.toThrow(
      'there is a site "twice" already',
    )
    expect(await listSites(it.db)).toContainEqual(site({ key: 'twice' }))
    const both = [addSite(it.db, site({ key: 'race' })), addSite(it.db, site({ key: 'race' }))]
    const results = await Promise.allSettled(both)
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('with mistakes is refused, every one of them named at once', async () => {
    const strange = { key: '-x', domain: 'https://x/y', consent: 'maybe', timezone: 'Mars/Base' }
    const wrong = { ...strange, cookie: 'tag', query: ['ok', '', 'a=b'] } as unknown as Site
    const error: unknown = await addSite(it.db, wrong).catch(reason => reason)
    expect(error).toBeInstanceOf(SiteError)
    expect((error as SiteError).message.split('\n')).toHaveLength(7)
    expect(await it.db.collection<{ _id: string }>('sites').findOne({ _id: '-x' })).toBeNull()
  })

  test('keeps what it says of its cookie and its query', async () => {
    const full = site({ key: 'full', cookie: 'collector', query: ['q', 'page[]'] })
    await addSite(it.db, full)
    expect(await listSites(it.db)).toContainEqual(full)
  })

  test('is changed in what is given, and in nothing when a part of it is wrong', async () => {
    await addSite(it.db, site({ key: 'change', query: ['q'] }))
    const change = { domain: 'other.example', timezone: 'Asia/Kolkata' }
    expect(await setSite(it.db, 'change', change)).toMatchObject(site({ key: 'change', query: ['q'], ...change }))
    const wrong = { domain: 'ok.example', timezone: 'Mars/Base', consent: 'maybe' as Site['consent'] }
    await expect(setSite(it.db, 'change', wrong)).rejects.toThrow(/consent is one of.*the time zone is/s)
    expect(await listSites(it.db)).toContainEqual(site({ key: 'change', query: ['q'], ...change }))
    await expect(setSite(it.db, 'nobody', change)).rejects.toThrow('there is no site "nobody"')
    await expect(setSite(it.db, DOCTOR_SITE, change)).rejects.toThrow('there is no site "_doctor"')
  })

  test.each(['', '_x', '.x', 'a b', 'a/b', 'a$b', 'ä', 'a\n', 'x'.repeat(65)])('can not have the key %j', async key => {
    await expect(addSite(it.db, site({ key }))).rejects.toBeInstanceOf(SiteError)
  })

  test('of the doctor is in no list', async () => {
    expect((await listSites(it.db)).map(({ key }) => key)).not.toContain(DOCTOR_SITE)
    const { sites } = (await (await it.ask('/api/v2/sites')).json()) as { sites: Site[] }
    expect(sites.map(({ key }) => key)).not.toContain(DOCTOR_SITE)
  })
})

test('where there is no site at all, `demo` is made, and it asks for consent', async () => {
  const empty = await startCollector({ sites: [] })
  try {
    expect(await listSites(empty.db)).toMatchObject([{ key: 'demo', domain: 'localhost', consent: 'required' }])
    expect((await fetch(`${empty.url}/t/demo.js`)).status).toBe(200)
  } finally {
    await empty.close()
  }
})

test.each([
  ['UTC', '2026-03-01T23:59:59.999Z', '2026-03-01T00:00:00.000Z'],
  ['Asia/Kathmandu', '2026-03-01T18:14:59.999Z', '2026-02-28T18:15:00.000Z'],
  ['Asia/Kathmandu', '2026-03-01T18:15:00.000Z', '2026-03-01T18:15:00.000Z'],
  ['America/New_York', '2026-03-09T03:30:00.000Z', '2026-03-08T05:00:00.000Z'],
  ['Europe/Berlin', '2026-10-25T22:59:59.999Z', '2026-10-24T22:00:00.000Z'],
  // The clock goes from 23:59:59 to 01:00 there: that day has no midnight.
  ['America/Santiago', '2026-09-06T12:00:00.000Z', '2026-09-06T04:00:00.000Z'],
  ['Pacific/Kiritimati', '2026-03-01T10:00:00.000Z', '2026-03-01T10:00:00.000Z'],
])('a day of %s that holds %s began at %s', (zone, at, began) => {
  expect(new Date(startOfDay(Date.parse(at), zone)).toISOString()).toBe(began)
})
