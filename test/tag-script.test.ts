import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { Script } from 'node:vm'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { builtFolder } from '../collector/assets.ts'
import { pinScript } from '../collector/pinned-scripts.ts'
import { addSite, type Site } from '../collector/sites/index.ts'
import { capabilitiesOf, optionsOf, readComposer } from '../collector/tag-script.ts'
import { startCollector, type TestCollector } from './fixtures/collector.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({
    sites: [
      {},
      { key: 'asks', consent: 'required' },
      { key: 'a.b-c_1' },
      { key: 'changes', consent: 'required' },
      { key: 'pins', consent: 'required' },
      { key: 'keeps', cookie: 'collector', query: ['q', 'page[]'] },
      { key: 'more', with: ['forms', 'vitals'], link: ['pay.example'], sample: 0.5 },
      { key: 'follows', consent: 'cookieless', cmp: ['klaro', 'onetrust'], category: 'C0004' },
    ],
  })
})
afterAll(() => it.close())

interface Answer {
  status: number
  headers: NodeJS.Dict<string | string[]>
  body: Buffer
}

/** Asks without decoding the body. */
const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request(`${it.url}${path}`, { headers, method }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
      .on('error', reject)
      .end()
  })

test.each(['shop', 'asks', 'a.b-c_1'])('the script of %s is JavaScript, with the site’s key in it', async key => {
  const { status, headers, body } = await get(`/t/${key}.js`)
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('text/javascript; charset=utf-8')
  expect(() => new Script(body.toString())).not.toThrow()
  expect(body.toString()).toContain(`"site":"${key}"`)
  expect(body.toString()).not.toContain(it.url)
})

test('it has the options that its site has, and no others', async () => {
  expect((await get('/t/keeps.js')).body.toString()).toContain(
    '{"site":"keeps","mode":"none","cookie":"include","query":["q","page[]","page%5B%5D"],url:',
  )
  expect((await get('/t/shop.js')).body.toString()).toContain('{"site":"shop","mode":"none",url:')
})

test('it has the capabilities that its site asks for, and no others', async () => {
  const [plain, more] = await Promise.all(
    ['shop', 'more'].map(async key => (await get(`/t/${key}.js`)).body.toString()),
  )
  const marks = ['"engagement"', '"form"', '"media"', '"unhandledrejection"', '.vitals', '_lt=', '2**32', '_vitals.']
  const found = (text = '') => marks.filter(mark => text.includes(mark))
  expect(found(plain)).toEqual(['"engagement"'])
  expect(found(more)).toEqual(marks.filter(mark => !['"media"', '"unhandledrejection"'].includes(mark)))
  expect(more).toContain('"link":["pay.example"],"sample":0.5,url:')
})

test('the second file has the address and the integrity that the script says, and never changes', async () => {
  const script = (await get('/t/more.js')).body.toString()
  const [, name, integrity] = /new URL\("(_vitals\.[\w-]{22}\.js)".*?integrity:"([^"]+)"/.exec(script) ?? []
  for (const encoding of ['identity', 'br']) {
    const { status, headers, body } = await get(`/t/${name}`, { 'accept-encoding': encoding })
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect(headers['access-control-allow-origin']).toBe('*')
    const text = encoding === 'br' ? brotliDecompressSync(body) : body
    expect(`sha384-${createHash('sha384').update(text).digest('base64')}`).toBe(integrity)
  }
  expect((await get(`/t/_vitals.${'A'.repeat(22)}.js`)).status).toBe(404)
})

test('it reads the standards of consent for every site, and follows the platforms that its site names, and no others', async () => {
  const [follows, shop] = [await get('/t/follows.js'), await get('/t/shop.js')].map(({ body }) => body.toString())
  expect(follows).toContain('{"site":"follows","mode":"cookieless","category":"C0004",url:')
  for (const standard of ['__tcfapi', '__gpp', 'dataLayer', 'globalPrivacyControl'])
    for (const script of [follows, shop]) expect(script).toContain(standard)
  for (const platform of ['klaro', 'OneTrustGroupsUpdated']) {
    expect(follows).toContain(platform)
    expect(shop).not.toContain(platform)
  }
  for (const other of ['Cookiebot', 'didomi', 'Osano', 'Shopify']) expect(follows).not.toContain(other)
})

test('a site with a platform that there is no adapter for is refused, with those that there are', async () => {
  const site = { key: 'wrong', domain: 'shop.example', consent: 'required', timezone: 'UTC' } as const
  await expect(addSite(it.db, { ...site, cmp: ['kiaro' as 'klaro'] })).rejects.toThrow(/klaro.*not "kiaro"/)
  await expect(addSite(it.db, { ...site, category: '</script>' })).rejects.toThrow('category')
})

test('every page of every site may load it, and keep it for five minutes', async () => {
  const { headers } = await get('/t/shop.js', { origin: 'https://shop.example' })
  expect(headers['cross-origin-resource-policy']).toBe('cross-origin')
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(headers['cache-control']).toBe('public, max-age=300, stale-while-revalidate=86400')
  expect(headers).not.toHaveProperty('set-cookie')
  expect(headers).not.toHaveProperty('content-security-policy')
})

test('it is compressed as who asks can read it, and is the same in each form', async () => {
  const plain = await get('/t/shop.js')
  const [br, gzip] = await Promise.all(
    ['br, gzip', 'gzip'].map(encoding => get('/t/shop.js', { 'accept-encoding': encoding })),
  )
  const none = await get('/t/shop.js', { 'accept-encoding': 'zstd, identity;q=0.5' })
  expect([plain, br, gzip, none].map(answer => answer?.headers['content-encoding'])).toEqual([
    undefined,
    'br',
    'gzip',
    undefined,
  ])
  expect(brotliDecompressSync(br?.body ?? '')).toEqual(plain.body)
  expect(gunzipSync(gzip?.body ?? '')).toEqual(plain.body)
  expect(none.body).toEqual(plain.body)
  expect(br?.body.length).toBeLessThan(gzip?.body.length ?? 0)
  for (const answer of [plain, br, gzip]) expect(answer?.headers.vary).toContain('accept-encoding')
  const tags = new Set([plain, br, gzip].map(answer => answer?.headers.etag))
  expect(tags.size).toBe(3)
})

test('who has it already gets a 304 without a body', async () => {
  const { headers } = await get('/t/shop.js', { 'accept-encoding': 'br' })
  const etag = String(headers.etag)
  for (const held of [etag, `W/${etag}`, `"other", ${etag}`]) {
    const again = await get('/t/shop.js', { 'accept-encoding': 'br', 'if-none-match': held })
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag])
  }
  for (const other of ['"other"', String((await get('/t/asks.js', { 'accept-encoding': 'br' })).headers.etag)]) {
    expect((await get('/t/shop.js', { 'accept-encoding': 'br', 'if-none-match': other })).status).toBe(200)
  }
})

test('HEAD has the headers and no body', async () => {
  const { status, headers, body } = await get('/t/shop.js', {}, 'HEAD')
  expect([status, body.length]).toEqual([200, 0])
  expect(headers.etag).toBe((await get('/t/shop.js')).headers.etag)
})

test.each(['nobody', '__proto__', 'constructor', 'shop.js', '..%2f..%2fpackage.json', '%00'])(
  'for the site “%s” there is none',
  async key => {
    const { status, headers, body } = await get(`/t/${key}.js`)
    expect([status, headers['x-livetag'], headers['cache-control']]).toEqual([404, 'site-unknown', 'no-store'])
    expect(() => new Script(body.toString())).not.toThrow()
  },
)

test('it changes with the consent mode of its site, and so does its etag', async () => {
  const [required, none] = [await get('/t/changes.js'), await get('/t/shop.js')]
  await it.db.collection<Site>('sites').updateOne({ _id: 'changes' } as object, { $set: { consent: 'none' } })
  await vi.waitFor(async () => expect((await get('/t/changes.js')).headers.etag).not.toBe(required.headers.etag))
  const changed = await get('/t/changes.js')
  expect(changed.body.toString().replace('"changes"', '"shop"')).toBe(none.body.toString())
  expect((await get('/t/changes.js', { 'if-none-match': String(required.headers.etag) })).status).toBe(200)
})

const hashOf = (body: Buffer) => createHash('sha256').update(body).digest('base64url').slice(0, 22)

test.each(['shop', 'a.b-c_1'])('the present script of %s is at its hash, to be kept for ever', async key => {
  const { body, headers } = await get(`/t/${key}.js`)
  const path = `/t/${key}.${hashOf(body)}.js`
  const pinned = await get(path, { origin: 'https://shop.example' })
  expect(pinned.status).toBe(200)
  expect(pinned.body).toEqual(body)
  expect(pinned.headers['cache-control']).toBe('public, max-age=31536000, immutable')
  expect(pinned.headers['access-control-allow-origin']).toBe('*')
  expect(pinned.headers.etag).toBe(headers.etag)
  const br = await get(path, { 'accept-encoding': 'br' })
  expect(brotliDecompressSync(br.body)).toEqual(body)
  const again = await get(path, { 'accept-encoding': 'br', 'if-none-match': String(br.headers.etag) })
  expect([again.status, again.body.length]).toEqual([304, 0])
})

test('a pinned script is served after its site has changed, and its integrity holds', async () => {
  const compose = readComposer(builtFolder())
  const site: Site = { key: 'pins', domain: 'shop.example', consent: 'required', timezone: 'UTC' }
  const { hash, src, integrity, html } = await pinScript(
    it.db,
    site.key,
    compose(optionsOf(site), capabilitiesOf(site)),
    'https://stats.example/',
  )
  expect(src).toBe(`https://stats.example/t/pins.${hash}.js`)
  expect(html).toBe(`<script defer src="${src}" integrity="${integrity}" crossorigin="anonymous"></script>`)
  await it.db.collection<Site>('sites').updateOne({ _id: 'pins' } as object, { $set: { consent: 'none' } })
  await vi.waitFor(async () => expect((await get('/t/pins.js')).body.toString()).toContain('"mode":"none"'))
  const { pathname } = new URL(src)
  for (const encoding of ['identity', 'br']) {
    const { status, headers, body } = await get(pathname, { 'accept-encoding': encoding })
    const text = encoding === 'br' ? brotliDecompressSync(body) : body
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect(`sha384-${createHash('sha384').update(text).digest('base64')}`).toBe(integrity)
    expect(text.toString()).not.toContain('"mode"')
  }
  const { etag } = (await get(pathname)).headers
  expect((await get(pathname, { 'if-none-match': String(etag) })).status).toBe(304)
  expect((await get(`/t/shop.${hash}.js`)).headers['x-livetag']).toBe('script-unknown')
})

test('a script that was never pinned is gone, and says how to pin again', async () => {
  for (const hash of ['A'.repeat(22), '-_'.repeat(11)]) {
    const { status, headers, body } = await get(`/t/a.b-c_1.${hash}.js`)
    expect([status, headers['x-livetag'], headers['cache-control']]).toEqual([404, 'script-unknown', 'no-store'])
    expect(body.toString()).toContain('npx livetag site pin a.b-c_1')
    expect(() => new Script(body.toString())).not.toThrow()
  }
  for (const name of [`nobody.${'A'.repeat(22)}`, `shop.${'A'.repeat(21)}`, `shop.${'A'.repeat(23)}`, 'shop.$ne'])
    expect((await get(`/t/${name}.js`)).headers['x-livetag']).toBe('site-unknown')
})

test('a site whose key looks like a hash is a site', async () => {
  const key = `shop.${'A'.repeat(22)}`
  await addSite(it.db, { key, domain: 'shop.example', consent: 'none', timezone: 'UTC' })
  await vi.waitFor(async () => expect((await get(`/t/${key}.js`)).status).toBe(200))
  const { body, headers } = await get(`/t/${key}.js`)
  expect(body.toString()).toContain(`"site":"${key}"`)
  expect(headers['cache-control']).toContain('max-age=300')
})
