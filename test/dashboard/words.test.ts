import { describe, expect, it } from 'vitest'
import { format } from '../../collector/dashboard/format.ts'
import { kindOf } from '../../collector/dashboard/kind.ts'
import { fetchSites } from '../../collector/dashboard/sites.ts'
import { snippets } from '../../collector/dashboard/snippets.ts'
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
  const answer = (status: number, body = '{"sites":[]}') => fetchSites(async () => new Response(body, { status }))

  it('tells being signed out from being cut off', async () => {
    expect(await answer(200)).toEqual({ kind: 'sites', sites: [] })
    expect(await answer(401)).toEqual({ kind: 'signed-out' })
    expect(await answer(503)).toEqual({ kind: 'unreachable' })
    expect(await answer(200, '<html>')).toEqual({ kind: 'unreachable' })
    expect(await fetchSites(() => Promise.reject(new TypeError('failed')))).toEqual({ kind: 'unreachable' })
  })
})
