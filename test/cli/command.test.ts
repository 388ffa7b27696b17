import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Report } from '../../collector/cli/examine.ts'
import { freePort } from '../../collector/store/mongod/port.ts'

const COMMAND = fileURLToPath(new URL('../../collector/cli/livetag.mjs', import.meta.url))

/** Made for tests, on 2026-02-04. */
const PLACES = fileURLToPath(new URL('../fixtures/mmdb/GeoLite2-City-Test.mmdb', import.meta.url))
const STEPS = ['ready', 'fence', 'disk', 'transactions', 'places', 'joined', 'accepted', 'live', 'stored']

let home: string
let port: number
let url: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'livetag-cli-'))
  port = await freePort()
  url = `http://127.0.0.1:${port}`
})
afterAll(() => rm(home, { recursive: true, force: true }))

interface Running {
  child: ChildProcess
  out(): string
  err(): string
  ended: Promise<number | null>
}

/** The command as a person runs it; never against a database that somebody has set for this run. */
function start(args: string[], env: NodeJS.ProcessEnv = {}): Running {
  const { MONGODB_URI: _, LIVETAG_OWNER_KEY: _k, HOST: _h, ...rest } = process.env
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { ...rest, LIVETAG_HOME: home, PORT: String(port), LOG_LEVEL: 'warn', ...env },
  })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return { child, out: () => out, err: () => err, ended: once(child, 'close').then(([code]) => code as number | null) }
}

async function run(args: string[], env?: NodeJS.ProcessEnv) {
  const running = start(args, env)
  const code = await running.ended
  return { code, out: running.out(), err: running.err() }
}

describe('without a running collector', () => {
  test('a site is made and listed; the mongod that this takes is gone afterwards', async () => {
    const added = await run([
      'site',
      'add',
      'first',
      '--domain',
      'shop.example',
      '--consent',
      'none',
      '--timezone',
      'Asia/Kathmandu',
      '--cookie',
      'collector',
      '--query',
      'q, page',
      '--with',
      'forms, vitals',
      '--link',
      'pay.example',
      '--sample',
      '0.5',
      '--place',
      'region',
    ])
    expect(added).toMatchObject({ code: 0, out: expect.stringContaining('/t/first.js') })
    const listed = await run(['site', 'list', '--json'])
    const first = {
      key: 'first',
      domain: 'shop.example',
      consent: 'none',
      timezone: 'Asia/Kathmandu',
      query: ['q', 'page'],
      cookie: 'collector',
      with: ['forms', 'vitals'],
      link: ['pay.example'],
      sample: 0.5,
      place: 'region',
    }
    expect(JSON.parse(listed.out).sites).toContainEqual(first)
    expect(listed.out).not.toContain('_doctor')
    expect(await readdir(join(home, 'mongod'))).not.toContain('lock.json')
  })

  test('a site that is wrong is refused with every mistake, without a stack trace', async () => {
    const { code, out, err } = await run([
      'site',
      'add',
      '.x',
      '--domain',
      'https://x/',
      '--consent',
      'maybe',
      '--timezone',
      'Mars/Base',
      '--with',
      'forms,telepathy',
      '--link',
      'https://x/',
      '--sample',
      'half',
      '--place',
      'street',
    ])
    expect([code, out]).toEqual([1, ''])
    for (const word of [
      ...['the key takes', 'the domain is', 'consent is one of', 'the time zone is'],
      ...['forms, media, errors, vitals, not "telepathy"', 'a linked domain is', 'the sample is a share'],
      'of a place one of nothing, country, region, city is kept, not "street"',
    ])
      expect(err).toContain(word)
    expect(err).not.toMatch(/^\s+at /m)
  })

  test('`serve` beyond loopback without an owner key listens nowhere and says what to do', async () => {
    const { code, err } = await run(['serve'], { HOST: '0.0.0.0' })
    expect(code).toBe(1)
    expect(err).toContain('set LIVETAG_OWNER_KEY')
    await expect(fetch(url)).rejects.toThrow()
  })

  test('`serve` with a database of places that is none says which file, and starts nothing', async () => {
    const { code, err } = await run(['serve'], { LIVETAG_GEO: COMMAND })
    expect(code).toBe(1)
    expect(err).toContain(`LIVETAG_GEO: ${COMMAND} is no MaxMind DB`)
    expect(err).not.toMatch(/^\s+at /m)
  })

  test('`login` says that there is none', async () => {
    const { code, out, err } = await run(['login'])
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(`no collector answers at ${url}`)
  })
})

describe('a running collector', () => {
  let serving: Running
  beforeAll(async () => {
    serving = start(['serve'], { LIVETAG_GEO: PLACES })
    await vi.waitFor(() => expect(serving.out(), serving.err()).toContain('is running at'), { timeout: 30_000 })
  })
  afterAll(async () => {
    serving.child.kill('SIGTERM')
    await serving.ended
  })

  test('prints links that work: one that signs in once, the demo, the tag', async () => {
    const links = serving.out().match(/http:\/\/\S+?(?="|\s|$)/g) ?? []
    const login = links.find(link => link.includes('token=')) ?? ''
    const first = await fetch(login, { redirect: 'manual' })
    expect([first.status, first.headers.get('location')]).toEqual([303, '/overview'])
    expect((await fetch(login, { redirect: 'manual' })).headers.get('location')).toBe('/login?error=used')
    for (const link of links.filter(link => link !== login)) expect((await fetch(link)).status, link).toBe(200)
    expect(links).toContain(`${url}/demo/`)
  })

  test('`login` prints another link', async () => {
    const { code, out } = await run(['login'])
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^${url}/login\\?token=\\S{32}\n$`))
    expect((await fetch(out.trim(), { redirect: 'manual' })).headers.get('location')).toBe('/overview')
  })

  test('knows a site that `site add` makes within a second, and refuses the key a second time', async () => {
    expect((await fetch(`${url}/t/second.js`)).status).toBe(404)
    expect(await run(['site', 'add', 'second', '--domain', 'shop.example'])).toMatchObject({ code: 0 })
    await vi.waitFor(async () => expect((await fetch(`${url}/t/second.js`)).status).toBe(200), { timeout: 1_000 })
    const again = await run(['site', 'add', 'second', '--domain', 'shop.example'])
    expect([again.code, again.out]).toEqual([1, ''])
    expect(again.err).toContain('there is a site "second" already')
  })

  test('a site is changed by `site set`, and its properties are declared, listed and removed', async () => {
    const changed = await run(['site', 'set', 'second', '--timezone', 'Asia/Kolkata', '--consent', 'none'])
    expect([changed.code, changed.out]).toEqual([
      0,
      expect.stringContaining('(shop.example, consent none, Asia/Kolkata)'),
    ])
    expect((await run(['site', 'set', 'second'])).err).toContain('say what to change')
    expect((await run(['property', 'add', 'second', 'plan'])).out).toContain('Declared the property "plan"')
    const again = await run(['property', 'add', 'second', 'plan'])
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('has declared the property "plan" already')])
    const { properties } = JSON.parse((await run(['property', 'list', 'second', '--json'])).out)
    expect(properties).toEqual([{ name: 'plan', since: expect.any(String) }])
    expect((await run(['property', 'remove', 'second', 'plan'])).out).toBe('Removed the property "plan".\n')
    expect((await run(['property', 'remove', 'second', 'plan'])).code).toBe(1)
  })

  test('serves at once what `site pin` kept, under the address that this printed', async () => {
    const { code, out } = await run(['site', 'pin', 'second', '--url', url, '--json'])
    const { src, integrity, html } = JSON.parse(out)
    expect(code).toBe(0)
    const body = Buffer.from(await (await fetch(src)).arrayBuffer())
    expect(`sha384-${createHash('sha384').update(body).digest('base64')}`).toBe(integrity)
    const printed = await run(['site', 'pin', 'second'])
    expect(printed.out).toBe(`${html.replace(url, 'https://YOUR-COLLECTOR')}\n`)
    const unknown = await run(['site', 'pin', 'nobody'])
    expect([unknown.code, unknown.out]).toEqual([1, ''])
    expect(unknown.err).toContain('there is no site "nobody"')
  })

  test('takes the key that `key add` printed, and no longer once `key revoke` took it back', async () => {
    const { code, out } = await run(['key', 'add', 'reports', '--sites', 'second'])
    expect([code, out]).toEqual([0, expect.stringMatching(/^lt_\S{32}\n$/)])
    const ask = () => fetch(`${url}/api/v2/sites`, { headers: { authorization: `Bearer ${out.trim()}` } })
    expect(await (await ask()).json()).toMatchObject({ sites: [{ key: 'second' }] })
    const listed = await run(['key', 'list'])
    expect(listed.out).toContain(`${out.slice(0, 8)}…  reports  read   second`)
    expect(listed.out).not.toContain(out.trim())
    expect((await run(['key', 'revoke', `${out.slice(0, 8)}…`])).out).toBe(`Revoked ${out.slice(0, 8)}… (reports).\n`)
    await vi.waitFor(async () => expect((await ask()).status).toBe(401), { timeout: 2_000 })
    const again = await run(['key', 'revoke', out.slice(0, 8)])
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('there is no key that begins with')])
  })

  test('an account is listed, gets another password by a link that works once, and is removed', async () => {
    const { out: link } = await run(['login'])
    const signIn = await fetch(link.trim(), { redirect: 'manual' })
    const cookie = signIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const body = JSON.stringify({ email: 'ada@shop.example', password: 'correct horse battery' })
    const made = await fetch(`${url}/api/v2/account`, { method: 'POST', body, headers: { cookie, origin: url } })
    expect(made.status).toBe(201)
    const account = made.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const statusOf = async (cookie: string) => (await fetch(`${url}/api/v2/me`, { headers: { cookie } })).status
    expect(await statusOf(account)).toBe(200)
    expect((await run(['account', 'list'])).out).toMatch(/^ada@shop\.example +everything /m)
    const listed = (await run(['account', 'list', '--json'])).out
    expect(JSON.parse(listed).accounts).toMatchObject([{ email: 'ada@shop.example', owner: true, roles: [] }])
    expect(listed).not.toContain('scrypt')

    const reset = await run(['account', 'password-reset', 'Ada@shop.example'])
    expect([reset.code, reset.out]).toEqual([0, expect.stringMatching(new RegExp(`^${url}/join\\?token=\\S{32}\n$`))])
    const choose = (password: string) =>
      fetch(reset.out.trim(), { method: 'POST', redirect: 'manual', body: new URLSearchParams({ password }) })
    const chosen = await choose('another password')
    expect(chosen.headers.get('location')).toBe('/overview')
    expect((await choose('a third password')).headers.get('location')).toBe('/login?error=link')
    expect(await statusOf(chosen.headers.getSetCookie()[0]?.split(';')[0] ?? '')).toBe(200)
    await vi.waitFor(async () => expect(await statusOf(account)).toBe(401), 1_000)
    for (const args of [
      ['password-reset', 'nobody@shop.example'],
      ['remove', 'nobody@shop.example'],
      ['remove', 'x'],
    ])
      expect(await run(['account', ...args])).toMatchObject({ code: 1, out: '' })
    expect((await run(['account', 'remove', 'ada@shop.example'])).out).toBe(
      'Removed the account of ada@shop.example.\n',
    )
  })

  test('is well, says `doctor`, step by step', async () => {
    const { code, out } = await run(['doctor', '--json'])
    const report = JSON.parse(out) as Report
    expect([code, report.ok, report.collector]).toEqual([0, true, 'running'])
    expect(Object.keys(report.steps)).toEqual(STEPS)
    expect(report.steps.places?.warning).toContain(`${PLACES} was made on 2026-02-04, and networks move`)
    // A disk that is nearly full is the machine's.
    for (const [name, step] of Object.entries(report.steps).filter(([name]) => name !== 'disk' && name !== 'places'))
      expect(step, name).toEqual({ ok: true, ms: expect.any(Number) })
    expect(report.oplog).toEqual({ reachesMs: expect.any(Number), filled: expect.any(Number) })
    const { out: text } = await run(['doctor'])
    expect(text).toContain('Everything works.')
    expect(text).toContain(`Where visitors are is looked up in ${PLACES}: GeoLite2-City of 2026-02-04.`)
    expect(text).toMatch(/Salts .+ oplog still holds them for as long as it reaches back: \d+ minutes now/)
  })

  test('is not asked by somebody who has another key', async () => {
    const { code, out, err } = await run(['doctor', '--json'], { LIVETAG_OWNER_KEY: 'a-key-of-somebody-else' })
    expect(code).toBe(1)
    expect(out + err).toContain('another owner key')
  })

  test('a second one on its port says so, and the first goes on', async () => {
    const { code, err } = await run(['serve'])
    expect(code).toBe(1)
    expect(err).toContain(`something else listens on 127.0.0.1:${port} already`)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })

  test('ends cleanly when it is asked to', async () => {
    serving.child.kill('SIGTERM')
    expect(await serving.ended).toBe(0)
    expect(serving.err()).toContain('SIGTERM: writing what is there, then stopping')
    await expect(fetch(url)).rejects.toThrow()
  })
})

test('`doctor` on an empty machine state starts a collector for the moment, and every step is well', async () => {
  const { code, out, err } = await run(['doctor', '--json'])
  const { ok, collector, steps } = JSON.parse(out) as Report
  expect([code, ok, collector], err).toEqual([0, true, 'temporary'])
  expect(Object.keys(steps)[0]).toBe('started')
  expect(Object.values(steps).flatMap(({ error }) => error ?? [])).toEqual([])
}, 60_000)
