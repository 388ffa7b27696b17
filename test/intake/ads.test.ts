import { GppModel } from '@iabgpp/cmpapi'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { RawEvent } from '../../collector/settle/index.ts'
import { CHROME, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { tcString } from '../fixtures/tc-string.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({
    sites: [{}, { key: 'asks', domain: 'asks.example', consent: 'required' }],
  })
})
afterAll(() => it.close())

const ask = async (query: Record<string, string>) => {
  const before = await it.db.collection('journal').countDocuments()
  const response = await fetch(`${it.url}/p.gif?${new URLSearchParams(query)}`, { headers: { 'user-agent': CHROME } })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/gif'])
  const stored = (await it.db.collection('journal').countDocuments()) - before
  return [response.headers.get('x-livetag'), stored]
}
const taken = [null, 1]
const refused = ['consent-missing', 0]

/** A GPP string with the section of a US state law in it, and with one of Europe where there is a TC string. */
function gppString(fields: Record<string, unknown> = {}, tc = ''): string {
  const model = new GppModel()
  model.setFieldValue('usnat', 'Version', 1)
  for (const [name, value] of Object.entries(fields)) model.setFieldValue('usnat', name, value)
  const text = model.encode()
  if (tc === '') return text
  // Sections 2 and 7 (the header of both), as the specification puts them.
  const both = new GppModel()
  both.setFieldValue('tcfeuv2', 'CmpId', 300)
  both.setFieldValue('usnat', 'Version', 1)
  return `${both.encode().split('~')[0]}~${tc}~${text.split('~')[1]}`
}

describe('a pixel with a GPP string', () => {
  test('passes where only sections of the USA apply, opted out or not, and nobody refuses elsewhere', async () => {
    for (const gpp of [gppString(), gppString({ SaleOptOut: 1 })]) {
      expect(await ask({ site: 'asks', gpp, gpp_sid: '7' })).toEqual(taken)
      expect(await ask({ site: 'asks', gpp, gpp_sid: '7,8' })).toEqual(taken)
      expect(await ask({ site: 'asks', gpp, gpp_sid: '7', gdpr: '1', gdpr_consent: tcString([]) })).toEqual(refused)
      expect(await ask({ site: 'asks', gpp, gpp_sid: '7', consent: 'd' })).toEqual(refused)
    }
  })

  test.each([
    ['no sections', ''],
    ['a section that is not known', '0'],
    ['no law that applies', '-1'],
    ['Canada', '5'],
    ['Europe, of which it says nothing', '2'],
    ['Europe, too', '2,7'],
    ['nonsense', '7;8'],
  ])('says nothing with %s', async (_, gpp_sid) => {
    expect(await ask({ site: 'asks', gpp: gppString(), gpp_sid })).toEqual(refused)
  })

  test('has a TC string in it where Europe applies', async () => {
    const granted = gppString({}, tcString([1, 8]))
    expect(await ask({ site: 'asks', gpp: granted, gpp_sid: '2' })).toEqual(taken)
    expect(await ask({ site: 'asks', gpp: granted, gpp_sid: '2,7' })).toEqual(taken)
    expect(await ask({ site: 'asks', gpp: gppString({}, tcString([1])), gpp_sid: '2' })).toEqual(refused)
    expect(await ask({ site: 'asks', gpp: gppString({}, tcString([])), gpp_sid: '2,7' })).toEqual(refused)
    // A refusal ends what a site sends that needs no consent, too.
    expect(await ask({ site: 'shop', gpp: gppString({}, tcString([])), gpp_sid: '2' })).toEqual(refused)
  })

  test('that has an opt-out takes the purpose share out of a decision', async () => {
    for (const [id, gpp] of [
      ['in', gppString()],
      ['out', gppString({ SharingOptOut: 1 })],
      ['gpc', gppString({ Gpc: true })],
    ] as const)
      expect(await ask({ site: 'asks', event: 'consent', id: `gpp-${id}`, gpp, gpp_sid: '7' })).toEqual(taken)
    await it.settled()
    const events = await it.db.collection<RawEvent>('events').find({ 'meta.name': 'consent' }).sort({ ts: 1 }).toArray()
    expect(events.map(({ props }) => (props as { gpc?: boolean } | undefined)?.gpc ?? false)).toEqual([
      false,
      true,
      true,
    ])
  })

  /** Bits of a header: kind 3, version 1, one range from 1 to a number beyond a billion. */
  const bomb = () => {
    const bits = `000011000001000000000001${'1'}11${'0'.repeat(60)}11`
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return (bits.padEnd(120, '0').match(/.{6}/g) ?? []).map(six => alphabet[Number.parseInt(six, 2)]).join('')
  }
  test.each([
    ['an empty one', ''],
    ['nonsense', 'yes'],
    ['a TC string in its place', tcString([1, 8])],
    ['one that is cut off', 'DB'],
    ['signs that are none of base64url', 'DBABLA~\0'],
    ['one that never ends', `DBABLA~${'A'.repeat(5_000)}`],
    ['a header that would have billions of sections', bomb()],
  ])('%s is no consent, no error, and takes no time', async (_, gpp) => {
    const begun = performance.now()
    expect(await ask({ site: 'asks', gpp, gpp_sid: '2' })).toEqual(refused)
    expect(performance.now() - begun).toBeLessThan(2_000)
  })
})

test.each([
  ['gdpr', `\${GDPR}`],
  ['gdpr_consent', `\${GDPR_CONSENT_755}`],
  ['gdpr_consent', '%%GDPR_CONSENT%%'],
  ['gpp', `\${GPP_STRING_755}`],
  ['gpp_sid', '{{gpp_sid}}'],
  ['consent', '[CONSENT]'],
  ['id', '%%CACHEBUSTER%%'],
  ['gdpr', '__GDPR__'],
])('a macro of %s that was not filled in is no consent, and said so: %s', async (name, macro) => {
  for (const site of ['asks', 'shop'])
    expect(await ask({ site, gdpr: '0', consent: 'g', [name]: macro })).toEqual(['macro-unexpanded', 0])
})

test('impressions, viewable ones and clicks are told by campaign and creative, and a cachebuster is not kept', async () => {
  const shown: [string, string, string][] = [
    ...Array.from({ length: 8 }, () => ['impression', 'spring', 'red'] as [string, string, string]),
    ...Array.from({ length: 4 }, () => ['impression', 'spring', 'blue'] as [string, string, string]),
    ...Array.from({ length: 5 }, () => ['viewable', 'spring', 'red'] as [string, string, string]),
    ['click', 'spring', 'red'],
    ['click', 'spring', 'red'],
    ['click', 'spring', 'blue'],
  ]
  for (const [i, [event, campaign_id, creative_id]] of shown.entries())
    expect(await ask({ site: 'shop', event, campaign_id, creative_id, cb: String(i) })).toEqual(taken)
  await it.folded()
  const by = async (event: string, dimension: string) => {
    const response = await it.ask('/api/v2/query', {
      method: 'POST',
      body: JSON.stringify({
        site_id: 'shop',
        metrics: ['events'],
        date_range: 'day',
        dimensions: [`event:props:${dimension}`],
        filters: [['is', 'event:name', [event]]],
      }),
    })
    expect(response.status).toBe(200)
    const { results } = (await response.json()) as { results: { dimensions: string[]; metrics: number[] }[] }
    return Object.fromEntries(results.map(({ dimensions, metrics }) => [dimensions[0], metrics[0]]))
  }
  await vi.waitFor(async () => expect(await by('impression', 'creative_id')).toEqual({ red: 8, blue: 4 }))
  expect(await by('viewable', 'creative_id')).toEqual({ red: 5 })
  expect(await by('click', 'creative_id')).toEqual({ red: 2, blue: 1 })
  expect(await by('impression', 'campaign_id')).toEqual({ spring: 12 })
  expect(await by('click', 'campaign_id')).toEqual({ spring: 3 })
  expect(await it.db.collection('events').countDocuments({ 'props.cb': { $exists: true } })).toBe(0)
})
