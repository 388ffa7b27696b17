import { describe, expect, it } from 'vitest'
import { kindOf } from '../../collector/dashboard/live/kind.ts'
import { snippets } from '../../collector/dashboard/live/snippets.ts'
import { hrefOf, readAddress } from '../../collector/dashboard/shell/address.ts'
import { createApi } from '../../collector/dashboard/shell/api.ts'
import { fetchMe } from '../../collector/dashboard/shell/me.ts'
import { matches } from '../../collector/dashboard/shell/Palette.tsx'
import { format } from '../../collector/dashboard/ui/format.ts'
import { BUILT_IN } from '../../tag/wire.ts'
import { NOW } from './fixtures.ts'

describe('numbers and times', () => {
  it('are written for the reader and the site’s zone', () => {
    const german = format('de-DE', 'Europe/Berlin')
    expect(german.count(12_345)).toBe('12.345')
    expect(german.time(NOW)).toBe('13:34:56')
    expect(german.rate(7.25)).toBe('7,3')
    const american = format('en-US', 'America/New_York')
    expect(american.minute(NOW)).toMatch(/^7:34\sAM$/)
    expect(american.ago(0)).toBe('now')
    expect(american.ago(125_000)).toBe('2 minutes ago')
    expect(american.duration(84)).toBe('84 ms')
  })

  it('fall back to the browser’s zone where the site’s is not known', () => {
    expect(() => format('en', 'Mars/Olympus').time(NOW)).not.toThrow()
  })
})

describe('what an owner pastes', () => {
  it('names the collector and the site', () => {
    expect(snippets('https://stats.example.com', 'shop').tag).toBe(
      '<script defer src="https://stats.example.com/t/shop.js"></script>',
    )
    expect(snippets('https://stats.example.com', 'shop').pixel).toContain(
      'https://stats.example.com/p.gif?site=shop&event=pageview',
    )
  })
})

describe('an event’s color', () => {
  it('is its own for every built-in name, and the owner’s for others', () => {
    for (const name of BUILT_IN) expect(kindOf(name)).not.toBe('own')
    expect(kindOf('signup')).toBe('own')
    expect(kindOf('constructor')).toBe('own')
  })
})

describe('the list of sites', () => {
  const ask = (fetch: typeof globalThis.fetch) => fetchMe(createApi(fetch, '/', () => null))
  const answer = (status: number, body = '{"sites":[]}') => ask(async () => new Response(body, { status }))

  it('tells being signed out from being cut off', async () => {
    expect(await answer(200)).toEqual({ kind: 'me', me: { sites: [] } })
    expect(await answer(401)).toEqual({ kind: 'signed-out' })
    expect(await answer(503)).toEqual({ kind: 'unreachable' })
    expect(await answer(200, '<html>')).toEqual({ kind: 'unreachable' })
    expect(await ask(() => Promise.reject(new TypeError('failed')))).toEqual({ kind: 'unreachable' })
  })

  it('tells a shared link that wants its password from one that is no more', async () => {
    expect(await answer(401, '{"code":"share-password"}')).toEqual({ kind: 'share-password' })
    expect(await answer(401, '{"code":"not-signed-in"}')).toEqual({ kind: 'signed-out' })
  })

  it('shows what a shared link is with on every request', async () => {
    const asked: string[] = []
    const api = createApi(
      async url => {
        asked.push(String(url))
        return new Response('{}')
      },
      '/stats/',
      () => 'token.ticket',
    )
    await api.get('goals', { site: 'a b' })
    await api.send('POST', 'query', {}, {})
    expect([...asked, api.url('live', { site: 'shop' })]).toEqual([
      '/stats/api/v2/goals?site=a+b&share=token.ticket',
      '/stats/api/v2/query?share=token.ticket',
      '/stats/api/v2/live?site=shop&share=token.ticket',
    ])
  })
})

describe('the address', () => {
  it.each([
    ['/', '/overview'],
    ['/live?site=shop', '/live?site=shop'],
    ['/overview?site=shop&range=30d&f=is:page:/a', '/overview?site=shop&range=30d&f=is:page:/a'],
    ['/settings?site=a%26b', '/settings?site=a%26b'],
    ['/share/abc_-', '/share/abc_-'],
    ['/share/abc/live?wall=1', '/share/abc/live?wall=1'],
    ['/mails?site=shop&mailing=00c0ffee', '/mails?site=shop&mailing=00c0ffee'],
    ['/share/abc/mails?mailing=00c0ffee', '/share/abc/mails?mailing=00c0ffee'],
    ['/share/abc/settings', '/share/abc/settings'],
    ['/nothing?x=', '/overview'],
  ])('%s is read and written as %s', (from, to) => {
    const { pathname, search } = new URL(from, 'https://stats.example')
    expect(hrefOf(readAddress(pathname, search, '/'), '/')).toBe(to)
    expect(hrefOf(readAddress(`/stats${pathname}`, search, '/stats/'), '/stats/')).toBe(`/stats${to}`)
  })
})

describe('the palette', () => {
  it('finds by parts of words, in any order, whatever their case', () => {
    expect(matches('Go to Live', 'li go')).toBe(true)
    expect(matches('Go to Live', '')).toBe(true)
    expect(matches('Go to Live', 'love')).toBe(false)
  })
})
