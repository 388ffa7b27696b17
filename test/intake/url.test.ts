import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPlace } from '../../collector/intake/source.ts'
import { cleanUrl } from '../../collector/intake/url.ts'

const S = 'https://shop.example'
const JWT =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'
const HASH = 'd41d8cd98f00b204e9800998ecf8427e'

test.each([
  ['', ''],
  [`${S}/`, `${S}/`],
  [`${S}/shoes/red-boots_2`, `${S}/shoes/red-boots_2`],
  // query parameters
  [`${S}/?color=red&utm_source=a&size=9&utm_id=7`, `${S}/?utm_source=a&utm_id=7`],
  [`${S}/?color=red`, `${S}/`],
  [`${S}/?`, `${S}/`],
  [`${S}/?ref=friend&gclsrc=aw.ds&Ref=x&refs=x`, `${S}/?ref=friend&gclsrc=aw.ds`],
  [`${S}/?utm_source&utm_medium=`, `${S}/?utm_source&utm_medium=`],
  [`${S}/?utm_jane%40mail.example=1&utm_=1&xutm_source=1`, `${S}/`],
  [`${S}/?gclid=${HASH}&ScCid=${HASH}&sccid=${HASH}`, `${S}/?gclid=${HASH}&ScCid=${HASH}`],
  // addresses
  [`${S}/u/jane.doe@mail.example/orders`, `${S}/u/*/orders`],
  [`${S}/u/jane.doe%40mail.example`, `${S}/u/*`],
  [`${S}/u/jane%2540mail%252Eexample`, `${S}/u/*`],
  [`${S}/u;to=jane@mail.example;x`, `${S}/u;to=*;x`],
  [`${S}/?utm_term=to+jane%2Bx@mail.example&utm_source=a`, `${S}/?utm_term=*&utm_source=a`],
  [`${S}/?gclid=jane@mail.example`, `${S}/?gclid=*`],
  [`${S}/用户@例子.广告/x`, `${S}/*/x`],
  [`${S}/@jane/npm@1.2.3`, `${S}/@jane/npm@1.2.3`],
  [`${S}/jane@ma\til.exam\nple`, `${S}/*`],
  ['jane@mail.example', '*'],
  ['mailto:jane@mail.example?subject=x', 'mailto:*'],
  ['orders of jane@mail.example', 'orders of *'],
  // tokens
  [`${S}/reset/${HASH}/now`, `${S}/reset/*/now`],
  [`${S}/in/${JWT}`, `${S}/in/*`],
  [`${S}/cart;jsessionid=${HASH}`, `${S}/*`],
  [`${S}/?utm_content=${JWT}`, `${S}/?utm_content=*`],
  [`${S}/abcdefghij123456789`, `${S}/abcdefghij123456789`],
  [`${S}/abcdefghij1234567890`, `${S}/*`],
  [`${S}/internationalization`, `${S}/internationalization`],
  [`${S}/caf%C3%A9internationalization`, `${S}/caf%C3%A9internationalization`],
  [`https://a${HASH}.cdn.example/x`, `https://a${HASH}.cdn.example/x`],
  // passwords
  ['https://jane:secret@shop.example:8443/x', 'https://shop.example:8443/x'],
  ['https://a@b:c@shop.example', 'https://shop.example'],
  [' \u0001https:\\\\jane:secret@shop.example\\x', 'https://shop.example\\x'],
  ['https:jane:secret@shop.example', 'https://shop.example'],
  ['//jane:secret@shop.example/x', '//shop.example/x'],
  ['app://jane:secret@shop/x', 'app://shop/x'],
  ['https://jane%40mail.example/x', 'https://*/x'],
  ['file:///home/jane/x.html', 'file:///home/jane/x.html'],
  // fragments
  [`${S}/#top`, `${S}/`],
  [`${S}/#access_token=x`, `${S}/`],
  [`${S}/#/cart`, `${S}/#/cart`],
  [`${S}/#!cart`, `${S}/#!cart`],
  [`${S}/#/reset/${HASH}?mail=jane&utm_source=a`, `${S}/#/reset/*?utm_source=a`],
  [`${S}/#!${HASH}`, `${S}/#!*`],
  [`${S}/#/u/jane@mail.example`, `${S}/#/u/*`],
  // what is no absolute URL
  ['/cart?mail=jane&utm_source=a#b', '/cart?utm_source=a'],
  ['not a url', 'not a url'],
  ['%', '%'],
])('%s → %s', (text, cleaned) => {
  expect(cleanUrl(text)).toBe(cleaned)
})

test('a site’s own parameters are kept by their exact names, and masked like the others', () => {
  const query = `?q=red+boots&Q=1&page=2&mail=x&token=${HASH}&to=jane@mail.example`
  expect(cleanUrl(S + query, ['q', 'page', 'token', 'to'])).toBe(`${S}?q=red+boots&page=2&token=*&to=*`)
  expect(cleanUrl(`${S}?constructor=1&__proto__=1`, [])).toBe(S)
})

test('the URL, the path, the referrer and the campaign are clean', () => {
  const url = `https://me:pw@shop.example/u/jane@mail.example?utm_campaign=jane%40mail.example&q=1&key=2#x`
  const place = readPlace(url, `https://me:pw@news.example/${HASH}/jane%40mail.example?q=1`, ['q'])
  expect(place).toMatchObject({
    url: 'https://shop.example/u/*?utm_campaign=*&q=1',
    path: '/u/*',
    ref: 'https://news.example/*/*',
    arrival: { campaign: '*' },
  })
  expect(readPlace('to jane@mail.example', '', undefined)).toMatchObject({ url: 'to *', path: 'to *' })
})

const pieces = fc.oneof(
  fc.constantFrom(
    ...'https: http: x: // / \\ ? & = # #/ #! @ . % %40 %25 %2e : ; utm_source= gclid= jane:pw@'.split(' '),
  ),
  fc.constantFrom(' ', '\t', '\n', '\0', '\u00a0', '\ud800', 'q=', '*', HASH, 'jane@mail.example', 'é'),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.emailAddress(),
)
const text = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map(list => list.join('')),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
)

test('cleaning twice is cleaning once, for every text', () => {
  fc.assert(
    fc.property(text, raw => {
      const once = cleanUrl(raw, ['q'])
      return cleanUrl(once, ['q']) === once
    }),
    { numRuns: 5_000 },
  )
})

test('an email address that was in the text is in nothing that is stored', () => {
  const simple = fc.stringMatching(/^[a-z][a-z0-9._-]{0,12}@[a-z]{1,9}(\.[a-z]{2,5}){1,2}$/)
  fc.assert(
    fc.property(text, fc.oneof(simple, fc.emailAddress()), text, fc.boolean(), (before, email, after, encoded) => {
      const raw = before + (encoded ? email.replace('@', '%40') : email) + after
      const { arrival, ...place } = readPlace(raw, raw, ['q'])
      const stored = [...Object.values(place), ...Object.values(arrival)].join('\n').toLowerCase()
      return [email, email.replace('@', '%40')].every(form => !stored.includes(form.toLowerCase()))
    }),
    { numRuns: 5_000 },
  )
})

test('the worst texts take no time to speak of', () => {
  const worst = ['@', '%25', '%', '.', '/', '&', '@.', 'a@', 'https:', ' '].map(piece => piece.repeat(200_000))
  for (const raw of worst) expect(cleanUrl(raw).length).toBeLessThanOrEqual(raw.length + 8)
})
