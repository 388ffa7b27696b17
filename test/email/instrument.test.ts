import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fill } from '../../collector/email/fill.ts'
import { InstrumentError, instrument, MOST_HTML } from '../../collector/email/instrument.ts'

const PIXEL = '[[livetag-pixel]]'
const link = (n: number) => `[[livetag-link-${n}]]`
const whys = (html: string, unsubscribe: string[] = []) =>
  instrument(html, { unsubscribe }).left.map(({ href, why }) => [href, why])

/** A mail as Outlook gets it: conditional comments of both kinds, VML, entities, upper case, an image map. */
const MAIL = [
  '\uFEFF<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\r\n',
  '<html xmlns:v="urn:schemas-microsoft-com:vml"><head><style>a{background:url(https://x.example/a.png)}</style>',
  '<!--[if gte mso 9]><xml><o:AllowPNG/></xml><![endif]--></head>\r\n<BODY bgcolor=white>😀 &copy;&nbsp;Größe',
  '<!--[if mso]><v:roundrect href="https://shop.example/vml" fill="t"><a href="https://shop.example/mso">x</a></v:roundrect><![endif]-->',
  '<!--[if !mso]><!--><A HREF = "https://shop.example/a?b=1&amp;c=2&#x26;d=%20#top" STYLE=color:red>Sale</A><!--<![endif]-->\r\n',
  "<![if !mso]><a class=b href='https://shop.example/a'>again</a><![endif]>",
  '<a href=HTTPS://Shop.example/bare>bare</a><a title=">" href="https://shop.example/a">same</a>',
  '<img srcset="https://img.example/1.png 1x, https://img.example/2.png 2x" src="https://img.example/1.png">',
  '<map name=m><area href="https://shop.example/map" coords=0,0,1,1></map><link rel=stylesheet href="https://shop.example/c.css">',
  '<form action="https://shop.example/f"><button formaction="https://shop.example/g">x</button></form>',
  '<a href="mailto:a@shop.example">m</a><a href="tel:+491">t</a><a href="#top">top</a><a name=top>no href</a>',
  '<p>unclosed <table><tr><td><b><a href="https://shop.example/z">z</b></a></table></BODY ></html>\r\n',
].join('')

describe('a mail', () => {
  test('changes in its links and by its pixel, and in no other byte', () => {
    const { template, links, left } = instrument(MAIL)
    expect(links).toEqual([
      'https://shop.example/a?b=1&c=2&d=%20#top',
      'https://shop.example/a',
      'HTTPS://Shop.example/bare',
      'https://shop.example/a',
      'https://shop.example/z',
    ])
    const expected = MAIL.replace('"https://shop.example/a?b=1&amp;c=2&#x26;d=%20#top"', `"${link(1)}"`)
      .replace("'https://shop.example/a'", `'${link(2)}'`)
      .replace('HTTPS://Shop.example/bare', `"${link(3)}"`)
      .replace('href="https://shop.example/a">same', `href="${link(4)}">same`)
      .replace('"https://shop.example/z"', `"${link(5)}"`)
      .replace('</BODY >', `${PIXEL}</BODY >`)
    expect(template).toBe(expected)
    expect(left).toEqual([
      { href: 'https://shop.example/map', why: 'area' },
      { href: 'mailto:a@shop.example', why: 'not-web' },
      { href: 'tel:+491', why: 'not-web' },
      { href: '#top', why: 'not-web' },
    ])
  })

  test.each([
    ['without a body', '<p>Hello', `<p>Hello${PIXEL}`],
    ['without an end of the body', '<html><body>Hello</html>\n', `<html><body>Hello${PIXEL}</html>\n`],
    ['that is empty', '', PIXEL],
    ['with its end in a comment', '<body>a<!-- </body> --></body>', `<body>a<!-- </body> -->${PIXEL}</body>`],
    ['that goes on after its end', '<body>a</body><p>b', `<body>a${PIXEL}</body><p>b`],
  ])('%s has its pixel at the end', (_, html, template) => {
    expect(instrument(html).template).toBe(template)
  })

  test.each([
    ['a comment', 'a<!-- b'],
    ['a tag', '<p>a</p><a href="https://shop.example/'],
    ['a text field', '<textarea>a'],
    ['a style', '<style>p{}'],
    ['a template', '<template><p>'],
  ])('that is cut off in %s is refused in words', (_, html) => {
    expect(() => instrument(html)).toThrow(/cut off|can not be told apart/)
  })

  test('that has the places already, is too long or nests without end is refused in words', () => {
    const { template } = instrument('<a href="https://shop.example/">a</a>')
    expect(() => instrument(template)).toThrow(InstrumentError)
    expect(() => instrument('a'.repeat(MOST_HTML + 1))).toThrow(/characters/)
    expect(() => instrument('<div>'.repeat(50_000))).toThrow(/deep/)
  })

  test('whose links are closed wrongly has each once', () => {
    const { template, links } = instrument(
      '<p><a href="https://a.example/1">x<p>y<div>z</p></a><a href="https://a.example/2">',
    )
    expect(links).toEqual(['https://a.example/1', 'https://a.example/2'])
    expect(template).toBe(`<p><a href="${link(1)}">x<p>y<div>z</p></a><a href="${link(2)}">${PIXEL}`)
  })

  test('takes the first of two addresses, as browsers do, and none in a script, a text field or SVG', () => {
    const html =
      '<a href="https://a.example/1" HREF="https://evil.example/">x</a><script>"<a href=https://b.example>"</script>' +
      '<textarea><a href="https://c.example"></textarea><svg><a href="https://d.example">s</a></svg>' +
      '<noscript><a href="https://e.example/">n</a></noscript>'
    expect(instrument(html).links).toEqual(['https://a.example/1', 'https://e.example/'])
  })

  test('keeps links that a mailing has no number for', () => {
    const { links, left } = instrument('<a href="https://a.example/">x</a>'.repeat(203))
    expect([links.length, left.length, left[0]?.why]).toEqual([200, 3, 'too-many'])
  })
})

describe('a link stays as it is', () => {
  test.each<[string, string, string]>([
    ['marked', '<a data-lt-ignore href="https://a.example/">x</a>', 'ignored'],
    ['in what is marked', '<div DATA-LT-IGNORE=""><p><b><a href="https://a.example/">x</a></b></div>', 'ignored'],
    ['of Handlebars', '<a href="https://a.example/{{id}}">x</a>', 'placeholder'],
    ['of Mailchimp', '<a href="*|ARCHIVE|*">x</a>', 'placeholder'],
    ['of Mailgun', '<a href="https://a.example/%recipient.id%">x</a>', 'placeholder'],
    ['of ERB', '<a href="<%= url %>">x</a>', 'placeholder'],
    ['of Salesforce', '<a href="%%view_email_url%%">x</a>', 'placeholder'],
    ['of Jinja', '<a href="{% url %}">x</a>', 'placeholder'],
    ['of a shell', `<a href="https://a.example/\${id}">x</a>`, 'placeholder'],
    ['a script', '<a href="javascript:alert(1)">x</a>', 'not-web'],
    ['data', '<a href="data:text/html,x">x</a>', 'not-web'],
    ['relative', '<a href="/sale">x</a>', 'not-web'],
    ['of no scheme', '<a href="//a.example/">x</a>', 'not-web'],
    ['broken', '<a href="https://[">x</a>', 'not-web'],
    ['empty', '<a href="">x</a>', 'not-web'],
    ['with a password', '<a href="https://u:p@a.example/">x</a>', 'password'],
    ['too long', `<a href="https://a.example/${'x'.repeat(2_048)}">x</a>`, 'too-long'],
  ])('%s', (_, html, why) => {
    const { template, links, left } = instrument(html)
    expect([links, left.map(({ why }) => why)]).toEqual([[], [why]])
    expect(template).toBe(html + PIXEL)
  })

  test.each([
    ['<a rel="noopener Unsubscribe" href="https://a.example/1">x</a>'],
    ['<a href="https://a.example/newsletter/unsubscribe?u=1">here</a>'],
    ['<a href="https://a.example/%75nsubscribe">here</a>'],
    ['<a href="https://a.example/opt-out">here</a>'],
    ['<a href="https://a.example/email_preferences">here</a>'],
    ['<a href="https://a.example/x">If you want no more, <b>unsub</b>scribe</a>'],
    ['<a href="https://a.example/x">Manage\n  your preferences</a>'],
    ['<a href="https://a.example/x"><img alt="Unsubscribe" src="u.png"></a>'],
    ['<a href="https://a.example/x">Newsletter abbestellen</a>'],
    ['<a href="https://a.example/x">Se désabonner</a>'],
    ['<a href="https://a.example/x">Darse de baja</a>'],
    ['<a href="https://a.example/x">Annulla iscrizione</a>'],
    ['<a href="https://a.example/x">Afmelden</a>'],
  ])('as it ends the sending of mails: %s', html => {
    expect(instrument(html).links).toEqual([])
    expect(whys(html)).toEqual([[expect.any(String), 'unsubscribe']])
  })

  test('as the sender names it, whatever it looks like', () => {
    const html = '<a href="https://A.example/x?u=1&amp;v=2">y</a><a href="https://a.example/x?u=2">z</a>'
    expect(whys(html, ['https://a.example/x?u=1&v=2', '<mailto:x@a.example>'])).toEqual([
      ['https://A.example/x?u=1&v=2', 'unsubscribe'],
    ])
  })

  test.each(['https://a.example/subscribe', 'https://a.example/stop', 'https://a.example/50%25-off/%C3%A4%20'])(
    'but %s is one as any other',
    href => expect(instrument(`<a href="${href}">Subscribe to more</a>`).links).toEqual([href]),
  )
})

describe('filling in', () => {
  const { template } = instrument('<a href="https://a.example/?a=1&amp;b=2">x</a><a href="https://b.example/">y</a>')

  test('gives each recipient links and an image below the collector’s address', () => {
    const mail = fill(template, { pixel: '/p/T.gif', links: ['/l/A', '/l/B'] }, 'https://stats.example.com/lt/')
    expect(mail).toBe(
      '<a href="https://stats.example.com/lt/l/A">x</a><a href="https://stats.example.com/lt/l/B">y</a>' +
        '<img src="https://stats.example.com/lt/p/T.gif" width="1" height="1" alt="" style="border:0;width:1px;height:1px">',
    )
  })

  test('of who is not measured the mail is as it was, and what a destination has in it stays text', () => {
    const links = ['https://a.example/?a=1&b=2', `https://b.example/"><script>'`]
    const mail = fill(template, { pixel: null, links }, 'https://stats.example.com')
    expect(mail).toBe(
      '<a href="https://a.example/?a=1&amp;b=2">x</a><a href="https://b.example/&quot;&gt;&lt;script&gt;&#39;">y</a>',
    )
  })

  test('of another mailing is an error', () => {
    expect(() => fill(template, { pixel: null, links: ['/l/A'] }, 'https://a.example')).toThrow(/no link 2/)
  })

  test('texts of templates are not read as patterns', () => {
    const links = ['/l/$&', "/l/$'"]
    expect(fill(template, { pixel: null, links }, 'https://a.example')).toContain('https://a.example/l/$&amp;"')
  })
})

test('whatever the mail is, taking the places out again gives it back, or it is refused in words', () => {
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...'<>/="\' \r\n&!-[]') },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        ...[
          '<a href="https://a.example/3">',
          "<A HREF='HTTPS://a.example/4'>",
          '<a href=',
          '<a ',
          'href="https://a.example/1"',
          "href='https://a.example/?a&amp;b'",
          '</a>',
          '<p>',
          '</p>',
        ],
        ...[
          '<table>',
          '<tr><td>',
          '</table>',
          '<!--',
          '-->',
          '<![endif]>',
          '<body>',
          '</body>',
          '</html>',
          '<b>',
          '</b>',
        ],
        ...[
          '<svg>',
          '<select>',
          '<option>',
          '<template>',
          '</template>',
          '<textarea>',
          '<style>',
          '</style>',
          'https://a.example/2',
        ],
        ...[
          'data-lt-ignore ',
          '<math><mtext>',
          '<noscript>',
          '<frameset>',
          '<plaintext>',
          '\0',
          '\uFEFF',
          '😀',
          '\ud800',
        ],
      ),
    },
  )
  const seen = { made: 0, refused: 0, links: 0 }
  const htmls = fc.array(piece, { maxLength: 30 }).map(pieces => pieces.join(''))
  fc.assert(
    fc.property(htmls, html => {
      let made: ReturnType<typeof instrument>
      try {
        made = instrument(html)
      } catch (error) {
        seen.refused++
        return error instanceof InstrumentError
      }
      seen.made++
      seen.links += made.links.length
      const { template, links } = made
      // Between the places stands the mail, piece by piece.
      let at = 0
      for (const part of template.split(/"?\[\[livetag-(?:pixel|link-\d+)\]\]"?/)) {
        const found = html.indexOf(part, at)
        if (found < 0) return false
        at = found + part.length
      }
      return links.every(address => /^https?:\/\//i.test(address))
    }),
    { numRuns: 5_000 },
  )
  expect(Math.min(seen.made, seen.refused, seen.links), JSON.stringify(seen)).toBeGreaterThan(200)
})

test('a mail made to take long takes no longer than one of its length usually does', () => {
  const time = (html: string) => {
    const start = process.cpuUsage()
    try {
      instrument(html)
    } catch {}
    const { user, system } = process.cpuUsage(start)
    return user + system
  }
  const fitted = (piece: string) => piece.repeat(Math.floor(100_000 / piece.length))
  const usual = fitted('<table><tr><td><p>text <a href="https://a.example/">link</a></p></td></tr></table>')
  time(usual)
  const reference = Math.max(1_000, time(usual))
  for (const piece of [
    '<a href="https://a.example/">',
    '<p><a href="https://a.example/"><b>',
    '<table><a href=https://a.example/>',
    '</p>',
    '<b><p></b>',
    '<font><i>',
  ])
    expect(time(fitted(piece)) / reference, piece).toBeLessThan(60)
})
