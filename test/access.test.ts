import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, readConfig } from '../collector/config.ts'
import { ensureOwnerKey, readOwnerKey } from '../collector/owner-key.ts'
import { createLogins } from '../collector/people/index.ts'
import { createCollector } from '../collector/server.ts'
import { OWNER_KEY, startCollector, type TestCollector } from './fixtures/collector.ts'

const DAY_MS = 86_400_000
const START = Date.now()

let it: TestCollector
let now = START
beforeAll(async () => {
  it = await startCollector({ clock: () => now })
})
afterAll(() => it.close())

const get = (path: string, headers: HeadersInit = {}) => fetch(it.url + path, { redirect: 'manual', headers })
const post = (path: string, form: Record<string, string> = {}) =>
  fetch(it.url + path, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) })
const newLink = async (): Promise<string> => {
  const response = await it.ask('/api/v2/login-links', { method: 'POST' })
  expect(response.status).toBe(201)
  const { token } = (await response.json()) as { token: string }
  return `/login?token=${token}`
}
const whereTo = (response: Response) => [response.status, response.headers.get('location')]
/** `name=value` of the cookie that an answer sets. */
const cookieOf = (response: Response) => response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
const signIn = async () => cookieOf(await get(await newLink()))
const statusWith = async (cookie: string) => (await get('/api/v2/sites', { cookie })).status

describe('a one-time link', () => {
  test('signs in once; the second time it leads to the login page, which says why', async () => {
    const link = await newLink()
    const first = await get(link)
    expect(whereTo(first)).toEqual([303, '/overview'])
    expect(await statusWith(cookieOf(first))).toBe(200)
    const second = await get(link)
    expect(whereTo(second)).toEqual([303, '/login?error=used'])
    expect(second.headers.getSetCookie()).toEqual([])
  })

  test('signs in once though it is clicked ten times at the same moment', async () => {
    const link = await newLink()
    const responses = await Promise.all(Array.from({ length: 10 }, () => get(link)))
    expect(responses.filter(response => response.headers.has('set-cookie'))).toHaveLength(1)
  })

  test('that is used leads whoever is signed in already to the live page', async () => {
    const link = await newLink()
    const cookie = cookieOf(await get(link))
    expect(whereTo(await get(link, { cookie }))).toEqual([303, '/overview'])
  })

  test('that nobody made signs nobody in', async () => {
    for (const token of ['', 'x', 'x'.repeat(32)]) {
      const response = await get(`/login?token=${token}`)
      expect(whereTo(response)).toEqual([303, '/login?error=used'])
      expect(response.headers.has('set-cookie')).toBe(false)
    }
  })

  test('is made for the owner only', async () => {
    expect((await post('/api/v2/login-links')).status).toBe(401)
  })

  test('is not used up by a program that asks for its headers (HEAD), as a preview does', async () => {
    const link = await newLink()
    const preview = await fetch(it.url + link, { method: 'HEAD', redirect: 'manual' })
    expect(preview.headers.has('set-cookie')).toBe(false)
    expect(whereTo(await get(link))).toEqual([303, '/overview'])
  })

  test('works for a day and no longer', async () => {
    const [early, late] = [await newLink(), await newLink()]
    now = START + DAY_MS - 1
    expect(whereTo(await get(early))).toEqual([303, '/overview'])
    now = START + DAY_MS
    expect(whereTo(await get(late))).toEqual([303, '/login?error=used'])
    now = START
  })

  test('is kept as a hash that opens nothing', async () => {
    const token = (await newLink()).split('=')[1] ?? ''
    const documents = await it.db.collection<{ _id: string }>('links').find().toArray()
    expect(JSON.stringify(documents)).not.toContain(token)
    for (const { _id } of documents)
      expect(whereTo(await get(`/login?token=${_id}`))).toEqual([303, '/login?error=used'])
  })
})

describe('a sign-in', () => {
  test('by the owner key opens the live page; a wrong key does not', async () => {
    const right = await post('/login', { key: ` ${OWNER_KEY}\n` })
    expect(whereTo(right)).toEqual([303, '/overview'])
    expect((await get('/live', { cookie: cookieOf(right) })).status).toBe(200)
    for (const form of [{ key: OWNER_KEY.slice(1) }, { key: '' }]) {
      const wrong = await post('/login', form)
      expect(whereTo(wrong)).toEqual([303, '/login?error=key-wrong'])
      expect(wrong.headers.has('set-cookie')).toBe(false)
    }
  })

  test('is a cookie that scripts and other sites can not use, and that does not hold the key', async () => {
    const [cookie = ''] = (await get(await newLink())).headers.getSetCookie()
    expect(cookie).toMatch(/^livetag_session=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/)
    expect(cookie).not.toContain(OWNER_KEY)
  })

  test('that was tampered with is refused, whichever character was changed, as is what the database has of it', async () => {
    const cookie = await signIn()
    expect(await statusWith(cookie)).toBe(200)
    const [name = '', value = ''] = cookie.split('=')
    const { find } = createLogins(it.db, OWNER_KEY, () => now)
    expect(await find(value)).toBeDefined()
    for (let i = 0; i < value.length; i++)
      expect(await find(`${value.slice(0, i)}${value[i] === 'z' ? 'y' : 'z'}${value.slice(i + 1)}`)).toBeUndefined()
    const documents = await it.db.collection<{ _id: string }>('logins').find().toArray()
    expect(JSON.stringify(documents)).not.toContain(value)
    for (const text of [...documents.map(({ _id }) => _id), '', '..', 'x'.repeat(32), 'x'.repeat(5_000)])
      expect(await statusWith(`${name}=${text}`)).toBe(401)
  })

  test('made with another owner key is refused', async () => {
    const secret = await createLogins(it.db, `${OWNER_KEY}!`, () => now).ofOwner()
    expect(await statusWith(`livetag_session=${secret}`)).toBe(401)
  })

  test('lasts 30 days and no longer', async () => {
    const cookie = await signIn()
    now = START + 30 * DAY_MS - 1
    expect(await statusWith(cookie)).toBe(200)
    now = START + 30 * DAY_MS
    expect(await statusWith(cookie)).toBe(401)
    now = START
  })

  test('is found among other cookies, and not in the name of another', async () => {
    const cookie = await signIn()
    expect(await statusWith(`a=b; ${cookie}; c=d`)).toBe(200)
    expect(await statusWith(`x${cookie}`)).toBe(401)
  })

  test('ends with the sign-out, which takes the cookie away; a copy of it is worthless', async () => {
    const cookie = await signIn()
    expect(await statusWith(cookie)).toBe(200)
    const response = await fetch(`${it.url}/logout`, { method: 'POST', redirect: 'manual', headers: { cookie } })
    expect(await statusWith(cookie)).toBe(401)
    expect(whereTo(response)).toEqual([303, '/login'])
    expect(response.headers.getSetCookie()[0]).toMatch(/^livetag_session=; .*Max-Age=0$/)
  })
})

describe('without a key or a sign-in', () => {
  test('pages lead to the login page', async () => {
    expect(whereTo(await get('/'))).toEqual([302, '/overview'])
    for (const path of ['/overview', '/live', '/sites', '/settings'])
      expect(whereTo(await get(`${path}?site=shop&f=a`))).toEqual([
        302,
        `/login?next=${encodeURIComponent(`${path}?site=shop&f=a`)}`,
      ])
    expect((await get('/login')).status).toBe(200)
  })

  test.each(['sites', 'stats?site=shop', 'stats?site=nobody', 'live?site=shop', 'doctor/x', 'nothing'])(
    'GET /api/v2/%s is 401, a problem with a code',
    async path => {
      for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${OWNER_KEY}` }]) {
        const response = await get(`/api/v2/${path}`, headers as HeadersInit)
        expect(response.status).toBe(401)
        expect(response.headers.get('content-type')).toContain('application/problem+json')
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/)
        expect(response.headers.get('cache-control')).toBe('no-store')
        expect(await response.json()).toMatchObject({ code: 'not-signed-in', status: 401 })
      }
    },
  )

  test('a wrong key is not mended by a valid cookie', async () => {
    const cookie = await signIn()
    expect((await get('/api/v2/sites', { cookie, authorization: 'Bearer wrong' })).status).toBe(401)
  })
})

describe('the owner key that a collector makes for itself', () => {
  const withHome = async (action: (home: string) => Promise<void>) => {
    const home = await mkdtemp(join(tmpdir(), 'livetag-test-'))
    await action(home).finally(() => rm(home, { recursive: true, force: true }))
  }

  test('is made once, is long, and can be read by its owner only', () =>
    withHome(async parent => {
      const home = join(parent, 'data')
      expect(await readOwnerKey(home)).toBeUndefined()
      const key = await ensureOwnerKey(home)
      expect(key).toMatch(/^[\w-]{32}$/)
      expect([await ensureOwnerKey(home), await readOwnerKey(home)]).toEqual([key, key])
      expect((await stat(join(home, 'owner-key'))).mode & 0o777).toBe(0o600)
    }))

  test('is kept in the file, whatever was in it: `livetag login` must find the one that counts', () =>
    withHome(async home => {
      await writeFile(join(home, 'owner-key'), '\n')
      const key = await ensureOwnerKey(home)
      expect((await readFile(join(home, 'owner-key'), 'utf8')).trim()).toBe(key)
    }))
})

describe('the configuration', () => {
  test.each(['0.0.0.0', '::', '192.0.2.7', 'shop.example', '127.shop.example'])(
    'HOST=%s without an owner key is an error, before anything is started',
    async host => {
      const started = createCollector({}, { HOST: host })
      await expect(started).rejects.toBeInstanceOf(ConfigError)
      await expect(started).rejects.toThrow(`HOST ${host} can be reached from other machines: set LIVETAG_OWNER_KEY`)
    },
  )

  test('with a key every address may be listened on; a loopback address needs none', () => {
    expect(readConfig({}, { HOST: '0.0.0.0', LIVETAG_OWNER_KEY: OWNER_KEY })).toMatchObject({ host: '0.0.0.0' })
    for (const HOST of ['127.0.0.1', '127.1.2.3', 'localhost', '::1', '']) {
      expect(readConfig({}, { HOST }).ownerKey).toBeUndefined()
    }
  })

  test('every mistake is named at once, each in a line, and no secret is repeated', async () => {
    const env = {
      HOST: '0.0.0.0',
      PORT: 'http',
      LOG_LEVEL: 'loud',
      MONGODB_URI: 'user:secret@db',
      LIVETAG_TRUST_PROXY: '10.0.0.0/8, proxy.example, 10.0.0.0/33',
    }
    const error: unknown = await createCollector({ journalBytes: 1 }, env).catch(reason => reason)
    expect(error).toBeInstanceOf(ConfigError)
    const { message } = error as ConfigError
    const begins = ['PORT', 'LOG_LEVEL', 'journalBytes', 'MONGODB_URI', 'LIVETAG_TRUST_PROXY', 'LIVETAG_TRUST_PROXY']
    expect(message.split('\n').map(line => line.split(' ')[0])).toEqual([...begins, 'HOST'])
    expect(message).not.toContain('secret')
    const short: unknown = await createCollector({}, { LIVETAG_OWNER_KEY: 'too-short', PORT: '-1' }).catch(r => r)
    expect((short as Error).message.split('\n')).toHaveLength(2)
    expect((short as Error).message).not.toContain('too-short')
  })

  test.each(['10.0.0.0/', '10.0.0.0/8/9', '10.0.0.0/-1', '10.0.0.0/8.5', '10.0.0.0/x', '/8', '::1/129'])(
    'LIVETAG_TRUST_PROXY=%s is an error: half a range must not become all addresses',
    range => {
      expect(() => readConfig({}, { LIVETAG_TRUST_PROXY: range })).toThrow(ConfigError)
    },
  )
})
