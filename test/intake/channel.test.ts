import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CHANNELS, readArrival } from '../../collector/intake/channel.ts'

const PAGE = 'https://shop.example/shoes'
const parse = (text: string) => (URL.canParse(text) ? new URL(text) : undefined)
const arrive = (query: string, referrer = '') => readArrival(new URL(PAGE + query), parse(referrer))

test.each([
  ['', 'direct', 'direct'],
  ['https://shop.example/', 'internal', 'internal'],
  ['https://www.google.com/', 'google.com', 'organic search'],
  ['https://www.google.co.uk/search', 'google.co.uk', 'organic search'],
  ['https://www.bing.com/', 'bing.com', 'organic search'],
  ['https://duckduckgo.com/', 'duckduckgo.com', 'organic search'],
  ['https://fr.search.yahoo.com/', 'fr.search.yahoo.com', 'organic search'],
  ['https://www.ecosia.org/', 'ecosia.org', 'organic search'],
  ['https://www.baidu.com/', 'baidu.com', 'organic search'],
  ['https://yandex.com.tr/', 'yandex.com.tr', 'organic search'],
  ['https://www.qwant.com/', 'qwant.com', 'organic search'],
  ['https://www.startpage.com/', 'startpage.com', 'organic search'],
  ['https://search.brave.com/', 'search.brave.com', 'organic search'],
  ['https://kagi.com/', 'kagi.com', 'organic search'],
  ['https://l.facebook.com/', 'l.facebook.com', 'organic social'],
  ['https://t.co/x', 't.co', 'organic social'],
  ['https://away.vk.com/', 'away.vk.com', 'organic social'],
  ['https://www.pinterest.de/', 'pinterest.de', 'organic social'],
  ['https://m.youtube.com/', 'm.youtube.com', 'video'],
  ['https://youtu.be/x', 'youtu.be', 'video'],
  ['https://mail.google.com/', 'mail.google.com', 'email'],
  ['https://outlook.live.com/', 'outlook.live.com', 'email'],
  ['https://webmail.provider.example/', 'webmail.provider.example', 'email'],
  ['android-app://com.google.android.gm/', 'com.google.android.gm', 'email'],
  ['https://news.example/', 'news.example', 'referral'],
  ['https://docs.google.com/', 'docs.google.com', 'referral'],
  ['https://google.evil.example/', 'google.evil.example', 'referral'],
  ['https://notgoogle.com/', 'notgoogle.com', 'referral'],
  ['https://ig.com/', 'ig.com', 'referral'],
  ['https://shop.example:8443/', 'shop.example:8443', 'referral'],
])('a visit from “%s” has the source %s and the channel %s', (referrer, source, channel) => {
  expect(arrive('', referrer)).toEqual({ source, channel })
  expect(arrive('?color=red', referrer)).toMatchObject({ source, channel })
})

test.each([
  ['?gclid=1', '', 'paid search'],
  ['?gbraid=1', '', 'paid search'],
  ['?wbraid=1', '', 'paid search'],
  ['?msclkid=1', 'https://www.bing.com/', 'paid search'],
  ['?dclid=1', '', 'display'],
  ['?fbclid=1', 'https://l.facebook.com/', 'organic social'],
  ['?ttclid=1', '', 'paid social'],
  ['?twclid=1', 'https://t.co/x', 'paid social'],
  ['?li_fat_id=1', '', 'paid social'],
  ['?gclid=1&utm_medium=display', '', 'display'],
  ['?fbclid=1&utm_source=facebook&utm_medium=cpc', '', 'paid social'],
  ['?utm_source=google&utm_medium=cpc', '', 'paid search'],
  ['?utm_source=other&utm_medium=ppc', '', 'paid search'],
  ['?utm_source=ig&utm_medium=paid', '', 'paid social'],
  ['?utm_source=other&utm_medium=Paid-Social', '', 'paid social'],
  ['?utm_source=other&utm_medium=paidsearch', '', 'paid search'],
  ['?utm_source=youtube&utm_medium=cpv', '', 'video'],
  ['?utm_source=other&utm_medium=paid_video', '', 'video'],
  ['?utm_source=other&utm_medium=paid', '', 'other campaign'],
  ['?utm_source=other&utm_medium=cpm', '', 'display'],
  ['?utm_source=other&utm_medium=banner', '', 'display'],
  ['?utm_source=crm&utm_medium=E-Mail', '', 'email'],
  ['?utm_source=newsletter', '', 'email'],
  ['?utm_source=partner&utm_medium=affiliate', '', 'affiliate'],
  ['?utm_source=Facebook', '', 'organic social'],
  ['?utm_source=other&utm_medium=social', '', 'organic social'],
  ['?utm_source=google&utm_medium=organic', '', 'organic search'],
  ['?utm_source=partner&utm_medium=referral', '', 'referral'],
  ['?utm_source=poster', '', 'other campaign'],
  ['?utm_source=poster', 'https://www.google.com/', 'other campaign'],
  ['?utm_campaign=spring', 'https://www.google.com/', 'organic search'],
  ['?utm_source=poster&utm_medium=qr', 'https://shop.example/', 'other campaign'],
  ['?utm_term=boots', '', 'direct'],
  ['?utm_source=&utm_medium=', 'https://shop.example/', 'internal'],
  ['?utm_source=constructor', '', 'other campaign'],
])('%s, come from “%s”, is of the channel %s', (query, referrer, channel) => {
  expect(arrive(query, referrer).channel).toBe(channel)
})

test('the five parameters are read as they are, each cut to 255 characters', () => {
  const long = 'x'.repeat(300)
  expect(
    arrive(`?utm_source=Crm&utm_medium=Email&utm_campaign=M%C3%A4rz+1&utm_term=${long}&utm_content=a%00b`),
  ).toEqual({
    source: 'Crm',
    channel: 'email',
    utm: 'Crm',
    medium: 'Email',
    campaign: 'März 1',
    term: long.slice(0, 255),
    content: 'ab',
  })
})

test('a text that is no URL comes from nowhere', () => {
  expect(readArrival(undefined, undefined)).toEqual({ source: 'direct', channel: 'direct' })
  expect(readArrival(undefined, parse('https://news.example/'))).toEqual({
    source: 'news.example',
    channel: 'referral',
  })
})

test('whatever comes: one of the channels, a source, and never an error', () => {
  const name = fc.constantFrom('utm_source', 'utm_medium', 'utm_campaign', 'gclid', '__proto__', 'x')
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('cpc', 'google.', '.', '...', 'a..b', '%', '%FF'),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 5 }), fc.webUrl(), value, (pairs, referrer, text) => {
      const query = pairs.map(([key, raw]) => `${key}=${raw.replace(/[#\ud800-\udfff]/g, '')}`).join('&')
      for (const from of [parse(referrer), parse(text), parse(`x://${text}`)]) {
        const { channel, source, ...rest } = readArrival(new URL(`${PAGE}?${query}`), from)
        expect(CHANNELS).toContain(channel)
        expect(source).not.toBe('')
        for (const part of [source, ...Object.values(rest)]) {
          expect((part ?? '').length).toBeLessThanOrEqual(255)
          expect((part ?? '').isWellFormed()).toBe(true)
          expect(part ?? '').not.toContain('\0')
        }
      }
    }),
  )
})
