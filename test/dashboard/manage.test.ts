import { describe, expect, it } from 'vitest'
import { moneyText, readGoal, readTexts } from '../../collector/dashboard/manage/goal.ts'
import { toMinutes } from '../../collector/dashboard/manage/signs.ts'
import { hostOf, isTimeZone, keyFor } from '../../collector/dashboard/manage/site-text.ts'
import { tabsFor } from '../../collector/dashboard/manage/tabs.ts'
import { type Me, mayAs, type Role } from '../../collector/dashboard/shell/me.ts'
import { readGoal as readAsCollector, toMinor } from '../../collector/sites/index.ts'

describe('a site that is added', () => {
  it.each([
    ['shop.example', 'shop.example'],
    [' https://www.Shop.example/a?b#c ', 'www.shop.example'],
    ['http://localhost:8080/', 'localhost:8080'],
    ['müller.example', 'xn--mller-kva.example'],
    ['', ''],
  ])('is where %j leads', (text, host) => {
    expect(hostOf(text)).toBe(host)
  })

  it.each([
    ['www.shop.example', [], 'shop'],
    ['blog.shop.example', [], 'blog-shop'],
    ['shop.example', ['shop', 'shop-2'], 'shop-3'],
    ['localhost:8080', [], 'localhost'],
    ['192.168.0.7', [], '192-168-0-7'],
    ['_x.example', [], 'x'],
    ['', [], ''],
    [`${'a'.repeat(80)}.example`, ['a'.repeat(60)], `${'a'.repeat(60)}-2`],
  ])('%s, beside %j, gets the key %s', (host, taken, key) => {
    expect(keyFor(host, taken)).toBe(key)
    expect(key).toMatch(/^([A-Za-z0-9][\w.-]{0,63})?$/)
  })

  it('has a time zone that there is', () => {
    expect(isTimeZone('Europe/Berlin')).toBe(true)
    expect(isTimeZone('Mars/Olympus')).toBe(false)
  })
})

describe('a goal', () => {
  const form = (fields: Record<string, string>) => {
    const data = new FormData()
    for (const [name, value] of Object.entries(fields)) data.append(name, value)
    return data
  }

  it('is read out of its form as the collector takes it', () => {
    const goal = readGoal(
      form({
        kind: 'event',
        match: 'signup',
        name: ' Sign-up ',
        'property-0': 'plan',
        'operator-0': 'is',
        'to-0': 'pro, "a, b"',
        'property-2': 'seats',
        'operator-2': '>=',
        'to-2': '5',
        'property-3': 'ref',
        'operator-3': 'present',
        worth: 'fixed',
        amount: '49.90',
        currency: 'eur',
      }),
    )
    expect(goal).toEqual({
      name: 'Sign-up',
      event: 'signup',
      where: [
        { property: 'plan', is: ['pro', 'a, b'] },
        { property: 'seats', compare: '>=', to: 5 },
        { property: 'ref', present: true },
      ],
      value: { amount: '49.90', currency: 'EUR' },
    })
    expect(readAsCollector(goal, new Date(0)).value).toEqual({ amount: 4_990, currency: 'EUR' })
  })

  it('says nothing of what was not filled in', () => {
    expect(readGoal(form({ kind: 'page', match: '/thanks*', name: 'Order', worth: 'none' }))).toEqual({
      name: 'Order',
      page: '/thanks*',
    })
    expect(
      readGoal(
        form({ kind: 'event', match: 'x', name: 'x', worth: 'property', 'worth-property': 'price', currency: 'JPY' }),
      ),
    ).toEqual({ name: 'x', event: 'x', value: { property: 'price', currency: 'JPY' } })
  })

  it('takes texts apart at commas, but for those in quotes', () => {
    expect(readTexts('a, b ,, "c, d" , "e')).toEqual(['a', 'b', 'c, d', '"e'])
  })

  it.each([
    ['49.90', 'EUR', '€49.90'],
    ['1200', 'JPY', '¥1,200'],
    ['1.5', 'IQD', 'IQD 1.500'],
  ])('that is worth %s %s says so', (amount, currency, text) => {
    expect(moneyText(toMinor(amount, currency) ?? -1, currency, 'en-US').replace('\u00a0', ' ')).toBe(text)
  })
})

describe('a sign of life', () => {
  it('has the views of each minute at its place', () => {
    const minutes = toMinutes(
      [
        { dimensions: ['2026-11-26 23:45:00'], metrics: [2] },
        { dimensions: ['2026-11-27 00:14:00'], metrics: [3] },
        { dimensions: ['2026-11-27 00:15:00'], metrics: [9] },
      ],
      '2026-11-26T23:45:00+01:00',
    )
    expect(minutes).toHaveLength(30)
    expect([minutes[0], minutes[29], minutes.reduce((a, b) => a + b)]).toEqual([2, 3, 5])
  })
})

describe('the settings', () => {
  const shown = (kind: Me['kind'], role: Role | null) => {
    const site = role && { key: 'shop', domain: '', consent: 'none', timezone: 'UTC', role }
    const me: Me = { kind, email: null, owner: false, sites: site ? [site] : [] }
    return tabsFor({ me, site, may: wanted => site !== null && mayAs(site.role, wanted) })
  }

  it('are those of the role', () => {
    expect(shown('account', 'owner')).toEqual(['general', 'goals', 'properties', 'keys', 'people', 'shares', 'account'])
    expect(shown('account', 'editor')).toEqual(['general', 'goals', 'properties', 'account'])
    expect(shown('account', 'viewer')).toEqual(['general', 'goals', 'properties', 'account'])
    expect(shown('account', null)).toEqual(['account'])
    expect(shown('share', 'viewer')).toEqual([])
  })
})
