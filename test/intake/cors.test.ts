import { afterAll, beforeAll, expect, test } from 'vitest'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({
    sites: [
      { cookie: 'collector' },
      { key: 'local', domain: 'localhost', cookie: 'collector' },
      { key: 'other', domain: 'other.example' },
    ],
  })
})
afterAll(() => it.close())

const corsOf = ({ headers }: Response) =>
  ['access-control-allow-origin', 'access-control-allow-credentials', 'vary'].map(name => headers.get(name))
const preflight = (origin: string) => fetch(`${it.url}/e`, { method: 'OPTIONS', headers: { origin } })

test.each(['https://shop.example', 'http://www.shop.example', 'http://localhost', 'http://localhost:3000'])(
  'pages of %s may send and take cookies: in the preflight and in every answer',
  async origin => {
    const expected = [origin, 'true', 'origin']
    for (const body of [envelope([{}], { i: '-' }), envelope([{}], { s: 'nobody' }), '{', 'x'.repeat(70_000)])
      expect(corsOf(await it.send(body, { origin }))).toEqual(expected)
    const response = await preflight(origin)
    expect(corsOf(response)).toEqual(expected)
    expect(response.headers.get('access-control-allow-methods')).toBe('POST')
    expect(response.headers.has('set-cookie')).toBe(false)
  },
)

test.each([
  'null',
  'https://other.example',
  'https://notshop.example',
  'https://shop.example.evil.example',
  'https://shop.example:8443',
  'file://shop.example',
  'http://localhost.evil.example',
])('pages of %s may not', async origin => {
  for (const response of [await it.send(envelope([{}], { i: '-' }), { origin }), await preflight(origin)])
    expect(corsOf(response)).toEqual(['*', null, null])
})
