import { describe, expect, test } from 'vitest'
import { type Class, classify, type Signs } from '../../collector/email/classify.ts'
import { createRecent } from '../../collector/email/recent.ts'
import { readAgent } from '../../collector/intake/index.ts'

const HOUR = 3_600_000
const verdict = (userAgent: string, signs: Partial<Signs> = {}) =>
  classify({
    of: 'open',
    method: 'GET',
    userAgent,
    bot: readAgent(userAgent).bot,
    prefetch: false,
    listed: false,
    age: HOUR,
    afterHead: false,
    burst: false,
    ...signs,
  })

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36'
const EDGE = `${CHROME} Edg/147.0.0.0`
const OUTLOOK =
  'Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; .NET4.0E; ms-office; MSOffice 16)'

type Row = [userAgent: string, signs: Partial<Signs>, is: Class, rule: string]

describe('opens', () => {
  test.each<Row>([
    // Apple Mail Privacy Protection says no more than this; with it off, the client is WebKit without a browser's name.
    ['Mozilla/5.0', {}, 'privacy-proxy', 'apple-mpp'],
    ['Mozilla/5.0', { age: 500 }, 'privacy-proxy', 'apple-mpp'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)',
      {},
      'human',
      'client:apple-mail',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
      {},
      'human',
      'client:apple-mail',
    ],
    [
      'Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148',
      {},
      'human',
      'client:apple-mail',
    ],
    [
      'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
      {},
      'image-proxy',
      'gmail',
    ],
    [
      'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
      { listed: true, age: 900 },
      'image-proxy',
      'gmail',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0',
      {},
      'prefetch',
      'gmail-prefetch',
    ],
    ['YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html', {}, 'image-proxy', 'yahoo'],
    ['Mozilla/5.0 (compatible; OutlookImageProxy)', {}, 'image-proxy', 'outlook-proxy'],
    ['SeznamEmailProxy/2.1', {}, 'image-proxy', 'seznam'],
    ['Mozilla/5.0 (compatible; YandexImageResizer/2.0; +http://yandex.com/bots)', {}, 'image-proxy', 'yandex'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Mail.RU_Bot/Img/2.0', {}, 'image-proxy', 'mail-ru'],
    ['Some-Mail-Proxy/1.0', {}, 'image-proxy', 'other-proxy'],
    [OUTLOOK, {}, 'human', 'client:outlook'],
    ['Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)', {}, 'human', 'client:outlook'],
    ['Outlook-iOS/729.2218384.prod.iphone (4.2328.0)', {}, 'human', 'client:outlook'],
    ['Outlook-Android/2.0', {}, 'human', 'client:outlook'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.6.0', {}, 'human', 'client:thunderbird'],
    [
      'Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Thunderbird/8.0 K-9 Mail',
      {},
      'human',
      'client:thunderbird',
    ],
    [
      'Mozilla/5.0 (Linux; Android 13; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0 Mobile Safari/537.36 SamsungEmail',
      {},
      'human',
      'client:samsung-mail',
    ],
    ['Lotus-Notes/6.0 (Windows-NT)', {}, 'human', 'client:lotus-notes'],
    ['Airmail 5.7 rv:760 (Macintosh; Mac OS X 14.2)', {}, 'human', 'client:airmail'],
    [CHROME, {}, 'human', 'browser'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', {}, 'human', 'browser'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
      {},
      'human',
      'browser',
    ],
    [CHROME, { prefetch: true }, 'prefetch', 'purpose'],
    [CHROME, { age: 2_000 }, 'scanner', 'too-soon'],
    [CHROME, { listed: true }, 'scanner', 'listed-range'],
    [CHROME, { method: 'HEAD' }, 'scanner', 'head'],
    [CHROME, { afterHead: true }, 'scanner', 'head-first'],
    ['', {}, 'scanner', 'no-agent'],
    ['BarracudaCentral', {}, 'scanner', 'named:barracuda'],
    ['Mozilla/5.0 (compatible; Barracuda Sentinel (EE))', {}, 'scanner', 'named:barracuda'],
    ['Mozilla/5.0 (compatible; Proofpoint URL Defense)', {}, 'scanner', 'named:proofpoint'],
    ['Mimecast-URL-Scanner/1.0', {}, 'scanner', 'named:mimecast'],
    ['Mozilla/5.0 (compatible; FireEye Email Security)', {}, 'scanner', 'named:trellix'],
    ['Mozilla/5.0 (compatible; Symantec Email Security.cloud)', {}, 'scanner', 'named:symantec'],
    ['Sophos Email Appliance', {}, 'scanner', 'named:sophos'],
    ['curl/8.5.0', {}, 'scanner', 'bot-agent'],
    ['python-requests/2.32.3', {}, 'scanner', 'bot-agent'],
    ['Go-http-client/1.1', {}, 'scanner', 'bot-agent'],
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36',
      {},
      'scanner',
      'bot-agent',
    ],
  ])('%.90s %o is %s', (userAgent, signs, is, rule) => {
    expect(verdict(userAgent, signs)).toEqual({ class: is, rule })
  })
})

describe('clicks', () => {
  test.each<Row>([
    [CHROME, {}, 'human', 'browser'],
    [EDGE, {}, 'human', 'browser'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
      {},
      'human',
      'browser',
    ],
    // Safe Links, Mimecast and others come as a browser: what they do tells them.
    [EDGE, { burst: true }, 'scanner', 'burst'],
    [EDGE, { afterHead: true }, 'scanner', 'head-first'],
    [EDGE, { age: 1_000 }, 'scanner', 'too-soon'],
    [EDGE, { listed: true }, 'scanner', 'listed-range'],
    ['Mozilla/5.0 (compatible; SafeLinks)', {}, 'scanner', 'named:microsoft'],
    ['Mozilla/5.0', {}, 'scanner', 'bot-agent'],
    [
      'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
      {},
      'scanner',
      'bot-agent',
    ],
    [OUTLOOK, {}, 'prefetch', 'office-probe'],
    ['Microsoft Office Existence Discovery', {}, 'prefetch', 'office-probe'],
    ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', {}, 'prefetch', 'preview:slack'],
    ['facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)', {}, 'prefetch', 'preview:facebook'],
    ['WhatsApp/2.23.20.0', {}, 'prefetch', 'preview:whatsapp'],
    ['TelegramBot (like TwitterBot)', {}, 'prefetch', 'preview:telegram'],
    ['Mozilla/5.0 (compatible; SkypeUriPreview Preview/0.5)', {}, 'prefetch', 'preview:teams'],
    [CHROME, { prefetch: true }, 'prefetch', 'purpose'],
    ['Wget/1.21.4', {}, 'scanner', 'bot-agent'],
    ['', {}, 'scanner', 'no-agent'],
  ])('%.90s %o is %s', (userAgent, signs, is, rule) => {
    expect(verdict(userAgent, { of: 'click', ...signs })).toEqual({ class: is, rule })
  })
})

describe('what a recipient did before', () => {
  test('three links of a mail within three seconds are a burst, the same one again is none', () => {
    const recent = createRecent()
    const at = (link: number, now: number, mail = 'a') => recent.note(mail, 'GET', link, now).burst
    expect([at(1, 0), at(1, 10), at(1, 20), at(2, 30)]).toEqual([false, false, false, false])
    expect(at(3, 40, 'b')).toBe(false)
    expect(at(3, 50)).toBe(true)
    // A person who takes a second for each.
    expect([at(1, 10_000), at(2, 11_600), at(3, 13_200), at(4, 14_800)]).toEqual([false, false, false, false])
  })

  test('what follows a HEAD within ten seconds is of the same machine, and of nobody else', () => {
    const recent = createRecent()
    recent.note('a', 'HEAD', 2, 0)
    expect(recent.note('a', 'GET', 1, 9_000).afterHead).toBe(true)
    expect(recent.note('b', 'GET', 1, 9_000).afterHead).toBe(false)
    expect(recent.note('a', 'GET', 1, 10_000).afterHead).toBe(false)
  })
})
