import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readMmdb } from '../../collector/intake/mmdb.ts'
import { followPlaces, loadPlaces, type PlacesState } from '../../collector/intake/places.ts'
import type { HourDimension } from '../../collector/journal/index.ts'
import { readHours } from '../../collector/rollup/index.ts'
import { createCollector } from '../../collector/server.ts'
import { CHROME, envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

const file = (kind: string) => join(import.meta.dirname, `../fixtures/mmdb/GeoLite2-${kind}-Test.mmdb`)
const [CITY, COUNTRY, ASN] = ['City', 'Country', 'ASN'].map(file) as [string, string, string]
const LONDON = { country: 'GB', region: 'GB-ENG', city: 'London' }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'livetag-places-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a database', () => {
  test.each([
    ['81.2.69.142', LONDON],
    ['216.160.83.56', { country: 'US', region: 'US-WA', city: 'Milton' }],
    ['89.160.20.112', { country: 'SE', region: 'SE-E', city: 'Linköping' }],
    ['2001:480:10::1', { country: 'US', region: 'US-CA', city: 'San Diego' }],
    ['2001:218::1', { country: 'JP' }],
    // It has no country, though one in which it was registered.
    ['203.0.113.7', {}],
    ['127.0.0.1', {}],
    ['fe80::1%eth0', {}],
    ['', {}],
    ['unknown', {}],
  ])('of cities tells where %s is', async (address, place) => {
    const { find, type } = await readMmdb(CITY)
    expect(type).toBe('GeoLite2-City')
    expect(find(address)).toEqual(place)
    // From memory, too.
    expect(find(address)).toEqual(place)
  })

  test('of countries tells of these alone', async () => {
    expect((await readMmdb(COUNTRY)).find('81.2.69.142')).toEqual({ country: 'GB' })
  })

  const whole = readFile(CITY)
  test.each<[string, () => Promise<string | Uint8Array>, string]>([
    ['an empty file', async () => '', 'is no MaxMind DB'],
    ['a text', async () => 'country,city\n'.repeat(1_000), 'is no MaxMind DB'],
    ['one that is copied still', async () => (await whole).subarray(0, 15_000), 'is no MaxMind DB, or not a whole one'],
    ['one that lacks its begin', async () => (await whole).subarray(1_000), 'is no MaxMind DB, or not a whole one'],
    ['one of networks', () => readFile(ASN), 'is of the kind "GeoLite2-ASN": take one of countries or cities'],
  ])('is not %s', async (name, bytes, why) => {
    const path = join(folder, `${name}.mmdb`)
    await writeFile(path, await bytes())
    await expect(readMmdb(path)).rejects.toThrow(`LIVETAG_GEO: ${path} ${why}`)
  })

  test('is not what is not there, or a folder: the collector does not start', async () => {
    const start = (geo: string) => createCollector({ geo, logLevel: 'silent', home: join(folder, 'none') }, {})
    await expect(start(join(folder, 'gone.mmdb'))).rejects.toThrow(/^LIVETAG_GEO: .*gone\.mmdb is not there$/)
    await expect(start(folder)).rejects.toThrow(/^LIVETAG_GEO: .* can't be read: /)
  })
})

test('a file that is replaced is read anew; one that is gone or broken leaves the one of before', async () => {
  const path = join(folder, 'places.mmdb')
  await copyFile(COUNTRY, path)
  const replaced: PlacesState[] = []
  const failed: string[] = []
  const listener = {
    replaced: (state: PlacesState) => void replaced.push(state),
    failed: ({ message }: Error) => void failed.push(message),
  }
  const places = followPlaces(await loadPlaces(path), listener, 10)
  const put = async (from: string) => {
    await copyFile(from, `${path}.new`)
    await rename(`${path}.new`, path)
  }
  const place = () => places.find('81.2.69.142')
  try {
    expect(place()).toEqual({ country: 'GB' })
    await put(CITY)
    await vi.waitFor(() => expect(place()).toEqual(LONDON), 5_000)
    expect(places.state()).toMatchObject({ path, type: 'GeoLite2-City', built: expect.stringMatching(/^20/) })
    await put(ASN)
    await vi.waitFor(() => expect(failed).toEqual([expect.stringContaining('GeoLite2-ASN')]), 5_000)
    expect(place()).toEqual(LONDON)
    expect(places.state()).toMatchObject({ type: 'GeoLite2-City', fault: failed[0] })
    await rm(path)
    await vi.waitFor(() => expect(failed.at(-1)).toContain('is not there'), 5_000)
    expect(place()).toEqual(LONDON)
    await put(COUNTRY)
    await vi.waitFor(() => expect(place()).toEqual({ country: 'GB' }), 5_000)
    expect(places.state()).not.toHaveProperty('fault')
    expect([replaced.map(({ type }) => type), failed.length]).toEqual([['GeoLite2-City', 'GeoLite2-Country'], 2])
  } finally {
    places.close()
  }
})

describe('a collector with a database', () => {
  let it: TestCollector
  beforeAll(async () => {
    it = await startCollector({
      geo: CITY,
      trustProxy: ['127.0.0.0/8'],
      sites: [
        {},
        ...(['nothing', 'region', 'city'] as const).map(place => ({ key: place, place })),
        { key: 'needs', consent: 'required', place: 'city' },
      ],
    })
  })
  afterAll(() => it.close())
  const from = (address: string) => ({ 'x-forwarded-for': `6.6.6.6, ${address}`, 'user-agent': CHROME })
  const stored = async (filter: object) => (await it.db.collection('events').find(filter).toArray())[0]

  test.each<[string, object]>([
    ['nothing', {}],
    ['shop', { country: 'GB' }],
    ['region', { country: 'GB', region: 'GB-ENG' }],
    ['city', LONDON],
  ])('keeps of a place as much as the site says: %s', async (s, place) => {
    const pixel = `${it.url}/p.gif?site=${s}&event=seen&session=p`
    expect((await it.send(envelope([{}], { s }), from('81.2.69.142'))).status).toBe(200)
    expect((await fetch(pixel, { headers: from('81.2.69.142') })).status).toBe(200)
    await it.settled()
    const kept = ({ country, region, city }: Record<string, unknown> = {}) => ({ country, region, city })
    const all = { country: undefined, region: undefined, city: undefined, ...place }
    for (const name of ['pageview', 'seen'])
      expect(kept((await stored({ 'meta.site': s, 'meta.name': name })) ?? undefined)).toEqual(all)
    expect(kept((await it.db.collection('sessions').findOne({ site: s })) ?? undefined)).toEqual(all)
  })

  test('places nobody who withdraws, and no server that tells of others', async () => {
    const headers = from('81.2.69.142')
    await it.send(envelope([{ n: 'consent', d: { purposes: [] } }], { s: 'needs', c: 'd' }), headers)
    await it.send(envelope([{}], { s: 'needs', c: 'g' }), headers)
    const body = JSON.stringify({ name: 'order', consent: 'granted' })
    await it.ask('/api/v2/events?site=needs', { method: 'POST', body, headers })
    await it.settled()
    for (const name of ['consent', 'order']) {
      const event = await stored({ 'meta.site': 'needs', 'meta.name': name })
      expect(event).toMatchObject({ meta: { name } })
      expect(event).not.toHaveProperty('country')
    }
    expect(await stored({ 'meta.site': 'needs', 'meta.name': 'pageview' })).toMatchObject(LONDON)
  })

  test('counts visits by place, in hours and in answers', async () => {
    const visits: [string, string][] = [
      ['a', '216.160.83.56'],
      ['b', '2001:480:10::1'],
      ['c', '2001:218::1'],
      ['d', '203.0.113.7'],
    ]
    for (const [k, address] of visits)
      await it.send(envelope([{}, { n: 'click' }], { s: 'city', k: `of-${k}`, i: k }), from(address))
    await it.folded()
    const ask = async (query: object) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' } }
      const body = JSON.stringify({ site_id: 'city', metrics: ['visits'], date_range: 'day', ...query })
      const answer = await (await it.ask('/api/v2/query', { ...init, body })).json()
      return (answer as { results: { dimensions: string[]; metrics: number[] }[] }).results.map(
        ({ dimensions, metrics }) => [...dimensions, ...metrics],
      )
    }
    // The session of the pixel is none of the page's.
    const countries = { GB: 2, US: 2, JP: 1, '(none)': 1 }
    const names = { 'United Kingdom': 2, 'United States': 2, Japan: 1, '(none)': 1 }
    expect(Object.fromEntries(await ask({ dimensions: ['visit:country'] }))).toEqual(countries)
    expect(Object.fromEntries(await ask({ dimensions: ['visit:country_name'] }))).toEqual(names)
    // Visitors are not in hours: so the scan answers.
    const visitors = { metrics: ['visitors'], dimensions: ['visit:country_name'] }
    expect(Object.fromEntries(await ask(visitors))).toEqual({ ...names, 'United Kingdom': 2 })
    const inStates = { filters: [['contains', 'visit:country_name', ['states'], { case_sensitive: false }]] }
    expect(Object.fromEntries(await ask({ ...inStates, dimensions: ['visit:city'] }))).toEqual({
      Milton: 1,
      'San Diego': 1,
    })
    expect(await ask({ dimensions: ['visit:region'], filters: [['is', 'visit:region', ['US-WA']]] })).toEqual([
      ['US-WA', 1],
    ])
    const dims: HourDimension[] = ['country', 'region', 'city']
    const range = {
      site: 'city',
      dims,
      from: Date.now() - 2 * 3_600_000,
      to: Date.now() + 3_600_000,
      bucketOf: () => 0,
    }
    const hours = await it.client.withSession({ snapshot: true }, session => readHours(it.db, range, session))
    const sessions = (dim: HourDimension) =>
      Object.fromEntries([...(hours.get(dim)?.get(0) ?? [])].map(([value, row]) => [value, row[2]]))
    expect(sessions('country')).toEqual(countries)
    expect(sessions('city')).toEqual({ London: 2, Milton: 1, 'San Diego': 1, '(none)': 2 })
  })

  test('tells `doctor` of it', async () => {
    expect(await (await it.ask('/api/v2/doctor')).json()).toMatchObject({
      places: { path: CITY, type: 'GeoLite2-City', built: expect.stringMatching(/^2026-/) },
    })
  })
})
