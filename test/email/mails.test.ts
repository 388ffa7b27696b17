import Schema from 'typebox/schema'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { fill, type Mailing, type Report } from '../../collector/email/index.ts'
import { eventsOf, type StoredPage } from '../../collector/journal/index.ts'
import { openApi } from '../../collector/openapi.ts'
import type { RawEvent } from '../../collector/settle/index.ts'
import { addKey } from '../../collector/sites/index.ts'
import { CHROME, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { outcome } from '../fixtures/people.ts'
import { countAll, LINKS, makeMailing, mint, post, visit } from './sending.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const GMAIL = 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)'
const MPP = 'Mozilla/5.0'

let offset = 0
let it: TestCollector
beforeAll(async () => {
  // Mails are opened a minute after they were minted, at the earliest.
  it = await startCollector({
    sites: [{ key: 'shop' }, { key: 'blog', domain: 'blog.example' }],
    clock: () => Date.now() + offset,
  })
})
afterAll(() => it.close())

const later = (ms = MINUTE): void => {
  offset += ms
}
const newest = async () =>
  (await it.db.collection<StoredPage>('journal').find().sort({ _id: -1 }).limit(1).toArray()).flatMap(({ envelopes }) =>
    eventsOf(envelopes),
  )[0]
const reportOf = async ({ id }: { id: string }): Promise<Report> =>
  (await (await it.ask(`/api/v2/mailings/${id}/report?site=shop`)).json()) as Report

describe('mailings', () => {
  test('one is registered, listed, and found, with its destinations as they will be', async () => {
    const utm = { source: 'news', medium: 'email', campaign: 'March & more' }
    const links = ['https://shop.example/a?b=c%20d&utm_source=own#x', 'http://shop.example']
    const made = await makeMailing(it, { name: 'First', links, utm })
    expect(made).toMatchObject({ name: 'First', policy: 'measure', minted: 0, uncounted: { opens: 0, clicks: 0 } })
    expect(made.id).toMatch(/^[0-9a-f]{8}$/)
    expect(made.links).toEqual([
      'https://shop.example/a?b=c%20d&utm_source=own&utm_medium=email&utm_campaign=March+%26+more#x',
      'http://shop.example/?utm_source=news&utm_medium=email&utm_campaign=March+%26+more',
    ])
    const { mailings } = (await (await it.ask('/api/v2/mailings?site=shop')).json()) as { mailings: unknown[] }
    expect(mailings[0]).toEqual(made)
    expect(await (await it.ask(`/api/v2/mailings/${made.id}?site=shop`)).json()).toEqual(made)
    // To another site it is one that does not exist.
    expect((await it.ask(`/api/v2/mailings/${made.id}?site=blog`)).status).toBe(404)
  })

  test.each<[string, unknown, RegExp]>([
    ['no name', { policy: 'measure' }, /name/],
    ['no policy', { name: 'a' }, /measure, deliverability, none/],
    ['a policy that there is none of', { name: 'a', policy: 'all' }, /measure, deliverability, none/],
    ['a script', { name: 'a', policy: 'measure', links: ['javascript:alert(1)'] }, /link 1/],
    ['a path', { name: 'a', policy: 'measure', links: [LINKS[0], '/sale'] }, /link 2/],
    ['a password', { name: 'a', policy: 'measure', links: ['https://u:p@shop.example'] }, /link 1/],
    ['too many links', { name: 'a', policy: 'measure', links: Array(201).fill('https://a.example') }, /200/],
    ['a field too many', { name: 'a', policy: 'measure', link: [] }, /no more/],
    ['a UTM parameter that there is none of', { name: 'a', policy: 'measure', utm: { id: 'x' } }, /utm/],
    ['nothing', null, /./],
  ])('%s is refused in words', async (_, input, words) => {
    const response = await post(it, '?site=shop', JSON.stringify(input))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(words) })
  })

  test('a key that sends may register and mint, and not read; one that reads the other way round', async () => {
    const write = await addKey(it.db, { name: 'w', scope: 'write', sites: ['shop'] })
    const read = await addKey(it.db, { name: 'r', scope: 'read', sites: ['shop'] })
    const as = (key: string) => ({ authorization: `Bearer ${key}` })
    const input = { name: 'by key', policy: 'measure' }
    expect((await post(it, '?site=shop', input, as(write.key))).status).toBe(201)
    expect((await post(it, '?site=shop', input, as(read.key))).status).toBe(403)
    expect((await post(it, '?site=blog', input, as(write.key))).status).toBe(404)
    expect((await post(it, '/withdraw?site=shop', { recipient: 'x' }, as(read.key))).status).toBe(403)
    expect((await it.ask('/api/v2/mailings?site=shop', { headers: as(write.key) })).status).toBe(403)
    expect((await it.ask('/api/v2/mailings?site=shop', { headers: as(read.key) })).status).toBe(200)
  })

  test('what the sender tells of it is kept, and anything else refused', async () => {
    const made = await makeMailing(it)
    const tell = (body: object) =>
      it.ask(`/api/v2/mailings/${made.id}?site=shop`, {
        method: 'PATCH',
        body: JSON.stringify(body),
      })
    expect(await (await tell({ sent: 100, delivered: 98 })).json()).toMatchObject({ sent: 100, delivered: 98 })
    expect(await (await tell({ delivered: 99, unsubscribed: 1 })).json()).toMatchObject({ sent: 100, delivered: 99 })
    for (const wrong of [{}, { sent: -1 }, { policy: 'none' }]) expect((await tell(wrong)).status).toBe(400)
    expect(await reportOf(made)).toMatchObject({ sent: 100, delivered: 99, bounced: null, unsubscribed: 1 })
  })
})

describe('a mailing with its mail', () => {
  const html =
    '<p><a href="https://shop.example/a?b=1&amp;c=2">a</a> <a href="tel:1">t</a> <a href="https://shop.example/bye">b</a>'
  const input = { name: 'With HTML', policy: 'measure', html, unsubscribe: ['https://shop.example/bye'] }

  test('has the links of it, and a template that what is minted goes into', async () => {
    const response = await post(it, '?site=shop', { ...input, utm: { source: 'news' } })
    expect(response.status).toBe(201)
    const { components } = openApi()
    const made = (await response.json()) as Mailing & { template: string; left: unknown }
    const described = { allOf: ['Mailing', 'MailingTemplate'].map(name => ({ $ref: `#/components/schemas/${name}` })) }
    expect(Schema.Compile({ ...described, components } as never).Check(made)).toBe(true)
    expect(made.links).toEqual(['https://shop.example/a?b=1&c=2&utm_source=news'])
    expect(made.left).toEqual([
      { href: 'tel:1', why: 'not-web' },
      { href: 'https://shop.example/bye', why: 'unsubscribe' },
    ])
    const [anna] = await mint(it, made, ['anna'])
    if (!anna) throw new Error('nothing was minted')
    later()
    const mail = fill(made.template, anna, it.url)
    const [, link = ''] = /href="([^"]+\/l\/[^"]+)"/.exec(mail) ?? []
    const [, pixel = ''] = /src="([^"]+)"/.exec(mail) ?? []
    expect((await fetch(link, { redirect: 'manual' })).headers.get('location')).toBe(made.links[0])
    const image = await fetch(pixel)
    expect([image.headers.get('content-type'), image.headers.get('x-livetag')]).toEqual(['image/gif', null])
    // The mail itself is not kept.
    expect(await it.db.collection('mailings').findOne({ name: 'With HTML' })).not.toHaveProperty('template')
    const stored = await it.ask(`/api/v2/mailings/${made.id}?site=shop`)
    expect(await stored.json()).not.toHaveProperty('template')
  })

  test.each<[string, object, RegExp]>([
    ['cut off', { html: '<p>a<!--' }, /cut off/],
    ['beside links of its own', { links: LINKS }, /"links", or "html"/],
    ['that is no text', { html: 1 }, /"html" is the mail/],
    ['too long', { html: 'a'.repeat(500_001) }, /500000/],
    ['with too many addresses', { unsubscribe: Array(21).fill('a') }, /20 addresses/],
  ])('%s is refused in words', async (_, change, words) => {
    const response = await post(it, '?site=shop', { ...input, ...change })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(words) })
  })
})

describe('minting', () => {
  test('each recipient gets paths of its own, the same person the same pseudonym, and none is kept', async () => {
    const mailing = await makeMailing(it)
    const [anna, ben] = await mint(it, mailing, ['anna@example.org', 'ben@example.org'])
    expect(anna?.pixel).toMatch(/^\/p\/[\w-]{52}\.gif$/)
    expect(anna?.links).toHaveLength(3)
    const paths = [anna, ben].flatMap(minted => (minted ? [minted.pixel, ...minted.links] : []))
    expect(new Set(paths).size).toBe(8)
    for (const path of paths) expect(path.length).toBeLessThanOrEqual(60)
    expect((await it.db.collection('mailings').findOne({ site: 'shop', minted: 2 }))?.name).toBe('March')
    for (const { name } of await it.db.listCollections({}, { nameOnly: true }).toArray()) {
      if (name.startsWith('system.')) continue
      expect(JSON.stringify(await it.db.collection(name).find().toArray())).not.toContain('anna@')
    }
  })

  test('a line that is wrong is said so, and the others are minted', async () => {
    const mailing = await makeMailing(it)
    const lines = ['{"recipient":"a"}', 'nonsense', '', '{"recipient":""}', `{"recipient":"${'x'.repeat(5_000)}"}`]
    const response = await post(
      it,
      `/${mailing.id}/mint?site=shop`,
      [...lines, 'null', '{"recipient":"b"}'].join('\r\n'),
    )
    const answers = (await response.text())
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { recipient?: string; line?: number })
    expect(answers.map(({ recipient, line }) => recipient ?? line)).toEqual(['a', 2, 4, 5, 6, 'b'])
    expect((await post(it, '/00000000/mint?site=shop', '')).status).toBe(404)
  })

  test('without a consent to measure links are the destinations, and without any there is no pixel', async () => {
    const [silent] = await mint(it, await makeMailing(it, { policy: 'none' }), ['a'])
    expect(silent).toEqual({ recipient: 'a', pixel: null, links: LINKS })
    const [day] = await mint(it, await makeMailing(it, { policy: 'deliverability' }), ['a'])
    expect(day).toEqual({ recipient: 'a', pixel: expect.stringContaining('/p/'), links: LINKS })
  })
})

describe('a pixel', () => {
  test('is answered with the image and counted with who asked, durable before the answer', async () => {
    const mailing = await makeMailing(it)
    const [anna] = await mint(it, mailing, ['anna'])
    later()
    const response = await visit(it, anna?.pixel ?? '', { agent: GMAIL })
    expect(response.status).toBe(200)
    expect(Buffer.from(await response.arrayBuffer()).toString('latin1', 0, 6)).toBe('GIF89a')
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/gif',
      'content-length': '42',
      'cache-control': 'no-store, private',
      'cross-origin-resource-policy': 'cross-origin',
    })
    expect(response.headers.has('set-cookie') || response.headers.has('x-livetag')).toBe(false)
    const event = await newest()
    expect(event).toMatchObject({
      site: 'shop',
      name: 'email_open',
      channel: 'email',
      consent: 'g',
      props: {
        mailing: mailing.id,
        class: 'image-proxy',
        rule: 'gmail',
        recipient: expect.stringMatching(/^[\w-]{15}$/),
      },
    })
    for (const field of ['visitor', 'session', 'bot', 'country']) expect(event?.[field as 'bot']).toBeUndefined()
    // A machine that loads it by itself is a bot in the site's own counts.
    await visit(it, anna?.pixel ?? '', { agent: MPP })
    expect(await newest()).toMatchObject({ bot: 'apple-mpp', props: { class: 'privacy-proxy' } })
  })

  test('a HEAD, a part of it and whether it has changed are answered as HTTP has it', async () => {
    const [anna] = await mint(it, await makeMailing(it), ['anna'])
    later()
    const pixel = anna?.pixel ?? ''
    const head = await visit(it, pixel, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '42', ''])
    expect((await newest())?.props).toMatchObject({ class: 'scanner', rule: 'head' })

    const ask = (headers: HeadersInit) => visit(it, pixel, { headers, agent: GMAIL })
    const first = await ask({ range: 'bytes=0-5' })
    expect([first.status, first.headers.get('content-range'), await first.text()]).toEqual([
      206,
      'bytes 0-5/42',
      'GIF89a',
    ])
    const opens = () => it.db.collection<StoredPage>('journal').countDocuments()
    const before = await opens()
    const rest = await ask({ range: 'bytes=6-' })
    expect([rest.status, rest.headers.get('content-length'), rest.headers.get('x-livetag')]).toEqual([
      206,
      '36',
      'range-continued',
    ])
    expect((await ask({ range: 'bytes=-2' })).headers.get('content-range')).toBe('bytes 40-41/42')
    expect(await opens()).toBe(before)
    for (const range of ['bytes=99-', 'bytes=5-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=-'])
      expect((await ask({ range })).status).toBe(200)

    const whole = await ask({})
    const etag = whole.headers.get('etag') ?? ''
    const same = await ask({ 'if-none-match': etag })
    expect([same.status, await same.text()]).toEqual([304, ''])
    expect((await ask({ 'if-none-match': '"another"' })).status).toBe(200)
    expect((await ask({ 'if-modified-since': new Date().toUTCString() })).status).toBe(200)
    expect(await opens()).toBe(before + 9)
  })

  test('a forged, a misused and an expired one show the image and count nothing, with the reason', async () => {
    const [anna] = await mint(it, await makeMailing(it), ['anna'])
    const pixel = anna?.pixel ?? ''
    const link = anna?.links[0]?.slice(3) ?? ''
    const before = await it.db.collection('journal').countDocuments()
    const reasonOf = async (path: string, init: RequestInit = {}) => {
      const response = await visit(it, path, init)
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/gif'])
      return response.headers.get('x-livetag')
    }
    const forged = `${pixel.slice(0, 20)}${pixel[20] === 'A' ? 'B' : 'A'}${pixel.slice(21)}`
    for (const path of [forged, '/p/.gif', `/p/${link}.gif`, '/p/%00.gif', `/p/${'x'.repeat(3_000)}.gif`])
      expect(await reasonOf(path)).toBe('token-invalid')
    expect(await reasonOf(pixel, { method: 'POST', body: 'x' })).toBe('method-not-allowed')
    const now = offset
    later(13 * 31 * DAY + MINUTE)
    expect(await reasonOf(pixel)).toBe('token-expired')
    const led = await visit(it, anna?.links[0] ?? '')
    expect([led.status, led.headers.get('x-livetag')]).toEqual([302, 'token-expired'])
    offset = now
    expect(await it.db.collection('journal').countDocuments()).toBe(before)
  })

  test('the policy deliverability keeps the day of the last open, and no event', async () => {
    const mailing = await makeMailing(it, { policy: 'deliverability' })
    const [anna] = await mint(it, mailing, ['dora'])
    later()
    const before = await it.db.collection('journal').countDocuments()
    const lastOpen = async () => (await post(it, '/last-opens?site=shop', '{"recipient":"dora"}')).json()
    expect(await lastOpen()).toEqual({ recipient: 'dora', day: null })
    for (let i = 0; i < 2; i++)
      expect((await visit(it, anna?.pixel ?? '', { agent: MPP })).headers.has('x-livetag')).toBe(false)
    const day = new Date(Date.now() + offset).toISOString().slice(0, 10)
    expect(await lastOpen()).toEqual({ recipient: 'dora', day })
    expect(await it.db.collection('last_opens').countDocuments()).toBe(1)
    expect(await it.db.collection('journal').countDocuments()).toBe(before)
    expect(Object.keys((await it.db.collection('last_opens').findOne()) ?? {})).toEqual(['_id', 'day', 'expires'])
  })
})

describe('a link', () => {
  test('leads on and is counted', async () => {
    const mailing = await makeMailing(it)
    const [anna] = await mint(it, mailing, ['anna'])
    later()
    const response = await visit(it, `${anna?.links[1]}?x=https://evil.example`)
    expect(response.status).toBe(302)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      location: LINKS[1],
      'cache-control': 'no-store, private',
      'referrer-policy': 'no-referrer',
    })
    expect(response.headers.has('x-livetag')).toBe(false)
    expect(await newest()).toMatchObject({
      name: 'email_click',
      path: '/new',
      props: { mailing: mailing.id, class: 'human', rule: 'browser', link: 2 },
    })
  })

  test('that nobody registered is a plain page that says so, and leads nowhere', async () => {
    const [anna] = await mint(it, await makeMailing(it), ['anna'])
    const pixel = anna?.pixel.slice(3, -4) ?? ''
    for (const path of ['/l/', '/l/x', `/l/${'A'.repeat(52)}`, `/l/${pixel}`, '/l/https:%2F%2Fevil.example']) {
      const response = await visit(it, path)
      expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/plain; charset=utf-8'])
      expect(response.headers.has('location')).toBe(false)
      expect(await response.text()).toContain('leads nowhere')
    }
    expect((await visit(it, anna?.links[0] ?? '', { method: 'POST' })).status).toBe(405)
  })
})

test('after a withdrawal the image is shown and the link leads on, and nothing is written anywhere', async () => {
  const mailing = await makeMailing(it)
  const [anna, ben] = await mint(it, mailing, ['anna-w', 'ben-w'])
  later()
  await visit(it, anna?.pixel ?? '')
  expect((await post(it, '/withdraw?site=shop', { recipient: 'anna-w', mailing: mailing.id })).status).toBe(204)
  // A second click on it changes nothing.
  expect((await post(it, '/withdraw?site=shop', { recipient: 'anna-w', mailing: mailing.id })).status).toBe(204)
  expect(await reportOf(mailing)).toMatchObject({ withdrawn: 1 })
  await it.folded()
  const flushed = () => it.db.collection('rejects').countDocuments()
  const refused = await flushed()
  const before = await countAll(it)
  for (const method of ['GET', 'HEAD']) {
    const image = await visit(it, anna?.pixel ?? '', { method })
    expect([image.status, image.headers.get('content-type'), image.headers.get('x-livetag')]).toEqual([
      200,
      'image/gif',
      'withdrawn',
    ])
    const link = await visit(it, anna?.links[0] ?? '', { method })
    expect([link.status, link.headers.get('location')]).toEqual([302, LINKS[0]])
  }
  // A refusal of after, which is counted, shows that what is counted of before is written by now.
  await visit(it, '/p/forged.gif')
  await vi.waitFor(async () => expect(await flushed()).toBeGreaterThan(refused), { timeout: 10_000, interval: 100 })
  const { rejects: _, ...after } = await countAll(it)
  const { rejects: _before, ...expected } = before
  expect(after).toEqual(expected)
  const written = await it.db.collection('rejects').find({ reason: 'withdrawn' }).toArray()
  expect(written).toEqual([])

  // Another recipient of the same mail counts as before, and new mails to who withdrew have nothing of ours in them.
  expect((await visit(it, ben?.pixel ?? '')).headers.has('x-livetag')).toBe(false)
  const [again] = await mint(it, mailing, ['anna-w'])
  expect(again).toEqual({ recipient: 'anna-w', pixel: null, links: LINKS, withdrawn: true })
  // Agreed to anew: what is minted from now on counts, what was sent before stays silent.
  later(2_000)
  expect((await post(it, '/restore?site=shop', { recipient: 'anna-w' })).status).toBe(204)
  later(2_000)
  const [anew] = await mint(it, mailing, ['anna-w'])
  later()
  expect((await visit(it, anew?.pixel ?? '')).headers.has('x-livetag')).toBe(false)
  expect((await visit(it, anna?.pixel ?? '')).headers.get('x-livetag')).toBe('withdrawn')
})

test('a report tells people from machines, and what can not be told', async () => {
  const mailing = await makeMailing(it, { name: 'Reported' })
  const names = ['reader', 'gmail', 'apple', 'clicker', 'scanned', 'hasty', 'nobody']
  const minted = new Map((await mint(it, mailing, names)).map(one => [one.recipient, one]))
  const pixel = (name: string, agent = CHROME) => visit(it, minted.get(name)?.pixel ?? '', { agent })
  const click = (name: string, link: number, init: Parameters<typeof visit>[2] = {}) =>
    visit(it, minted.get(name)?.links[link - 1] ?? '', init)
  await pixel('hasty')
  later()
  await pixel('reader')
  await pixel('reader')
  await pixel('gmail', GMAIL)
  await pixel('apple', MPP)
  await click('clicker', 1)
  await click('clicker', 1)
  // A scanner as a browser: only the third link shows what it is, and the two before with it.
  for (const link of [1, 2, 3]) await click('scanned', link)
  await click('reader', 2, { method: 'HEAD' })
  await it.settled()
  await vi.waitFor(async () =>
    expect(await it.db.collection<RawEvent>('events').countDocuments({ 'props.mailing': mailing.id })).toBe(11),
  )
  const none = { events: 0, people: 0 }
  const report = await reportOf(mailing)
  expect(report).toMatchObject({
    sent: 7,
    delivered: null,
    opens: {
      human: { events: 2, people: 1 },
      'image-proxy': { events: 1, people: 1 },
      'privacy-proxy': { events: 1, people: 1 },
      prefetch: none,
      scanner: { events: 1, people: 1 },
    },
    readers: { least: 3, most: 4 },
    clicks: { human: { events: 2, people: 1 }, scanner: { events: 4, people: 2 } },
    clickers: 1,
    clickToOpen: { least: 0.25, most: 0.3333 },
    links: [
      { link: 1, url: LINKS[0], clicks: { human: 2, scanner: 1 }, people: 1 },
      { link: 2, url: LINKS[1], clicks: { human: 0, scanner: 2 }, people: 0 },
      { link: 3, url: LINKS[2], clicks: { human: 0, scanner: 1 }, people: 0 },
    ],
    grain: 'hour',
    uncounted: { opens: 0, clicks: 0 },
  })
  expect(report.readers.why).toHaveLength(3)
  const { components } = openApi()
  expect(Schema.Compile({ $ref: '#/components/schemas/MailingReport', components } as never).Check(report)).toBe(true)
  const sum = (rows: Record<string, number>[]) => rows.flatMap(row => Object.values(row)).reduce((a, b) => a + b, 0)
  expect(sum(report.overTime.map(({ opens }) => opens))).toBe(5)
  expect(sum(report.overTime.map(({ clicks }) => clicks))).toBe(6)
  // Of a mailing that nobody has opened there is a report as well.
  expect(await reportOf(await makeMailing(it))).toMatchObject({
    sent: 0,
    readers: { least: 0, most: 0 },
    clickToOpen: null,
    overTime: [],
  })
})

test('who asks for a report at the moment shares one read of it, and gets what was there when they asked', async () => {
  const mailing = await makeMailing(it)
  const [anna] = await mint(it, mailing, ['anna'])
  later()
  await visit(it, anna?.pixel ?? '', { agent: GMAIL })
  await it.settled()
  await it.db.command({ profile: 2 })
  const reports = await Promise.all(Array.from({ length: 60 }, () => reportOf(mailing)))
  await it.db.command({ profile: 0 })
  expect(reports.map(({ opens }) => opens['image-proxy'].people)).toEqual(Array(60).fill(1))
  const read = { 'command.aggregate': /events$/, 'command.pipeline.$facet': { $exists: true } }
  const reads = await it.db.collection('system.profile').countDocuments(read)
  expect(reads).toBeGreaterThan(0)
  // How many fewer depends on how fast they come in.
  expect(reads).toBeLessThan(reports.length)
  expect(await outcome(await it.ask('/api/v2/mailings/00000000/report?site=shop'))).toEqual([404, 'mailing-unknown'])
})

test('keys change every 30 days, made a day ahead, and what an old one has signed still counts', async () => {
  const mailing = await makeMailing(it)
  const keyOf = (path = '') => Buffer.from(path.slice(3, 55), 'base64url').readUInt16BE(0)
  const keys = it.db.collection<{ _id: number; from: Date; until: Date }>('email_keys')
  const now = () => Date.now() + offset
  const isThere = (at: number) => keys.countDocuments({ from: { $lte: new Date(at) }, until: { $gt: new Date(at) } })
  const [before] = await mint(it, mailing, ['anna'])
  const present = await keys.findOne({ _id: keyOf(before?.pixel) })
  later(+(present?.until ?? 0) - now() - DAY / 2)
  await vi.waitFor(async () => expect(await isThere(now() + DAY)).toBe(1), { timeout: 10_000, interval: 100 })
  const [same] = await mint(it, mailing, ['anna'])
  expect(keyOf(same?.pixel)).toBe(present?._id)
  later(DAY)
  const [after] = await mint(it, mailing, ['anna'])
  expect(keyOf(after?.pixel)).toBeGreaterThan(present?._id ?? 0)
  later(MINUTE)
  for (const { pixel } of [before, same, after].flatMap(minted => minted ?? []))
    expect((await visit(it, pixel)).headers.get('x-livetag')).toBeNull()
})
