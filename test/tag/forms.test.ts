/** Forms: which are begun, given up and sent; never what is in them. */
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { type Visit, visit } from './visiting.ts'

const browser = await browserOrSkip()
let at: Visit
afterEach(async () => {
  // Whatever the test: nothing that was typed or preset has left the page.
  if (browser) expect(JSON.stringify(at.shop.posts)).not.toMatch(/secret/)
  expect(at?.errors ?? []).toEqual([])
  await at?.close()
})
afterAll(() => browser?.close())

const STAY = `<script>addEventListener('submit', event => event.preventDefault())</script>`
const begin = async (body: string) => {
  at = await visit(browser, { body: STAY + body, with: ['forms'] })
  await at.arrived('pageview')
}
const SIGNUP = `<form name=signup><input name=mail type=email><input name=age value="secret-preset"><button>Send</button></form>`

describe.skipIf(!browser)('a form', () => {
  it('is begun with the first input, once, and sent; without a value', async () => {
    await begin(SIGNUP)
    await at.page.click('[name=mail]')
    await at.page.keyboard.type('secret@mail.example')
    await at.page.fill('[name=age]', 'secret-42')
    await at.page.click('button')
    await at.leave()
    expect(at.props('form')).toEqual([
      { kind: 'start', form: 'signup', field: 'mail' },
      { kind: 'submit', form: 'signup', field: 'age' },
    ])
  })

  it('that is not sent is given up at the field that was changed last', async () => {
    await begin(
      `${SIGNUP}<form id=other><textarea id=text></textarea><input type=checkbox name=terms value="secret"></form>`,
    )
    await at.page.fill('#text', 'secret-text')
    await at.page.check('[name=terms]')
    await at.page.click('[name=mail]')
    await at.leave()
    expect(at.props('form')).toEqual([
      { kind: 'start', form: 'other', field: 'text' },
      { kind: 'abandon', form: 'other', field: 'terms' },
    ])
  })

  it('that an app takes out of the page is given up with its view; one that is looked at only is not told', async () => {
    await begin(SIGNUP)
    await at.page.click('[name=mail]')
    await at.page.evaluate(() => history.pushState(null, '', '/looked'))
    await at.page.fill('[name=mail]', 'secret')
    await at.page.evaluate(() => {
      document.forms[0]?.remove()
      history.pushState(null, '', '/second')
    })
    await at.leave()
    expect(at.props('form')).toEqual([
      { kind: 'start', form: 'signup', field: 'mail' },
      { kind: 'abandon', form: 'signup', field: 'mail' },
    ])
    const paths = at.shop.posts.flatMap(({ body }) =>
      body.e.filter(({ n }) => n === 'form').map(() => new URL(body.p.u).pathname),
    )
    expect(paths).toEqual(['/looked', '/looked'])
  })

  it('that is sent twice is told twice; each form for itself', async () => {
    await begin(`${SIGNUP}<form id=other><input name=q><button id=go>Go</button></form>`)
    for (const text of ['secret-1', 'secret-2']) {
      await at.page.fill('[name=q]', text)
      await at.page.click('#go')
    }
    await at.page.fill('[name=mail]', 'secret')
    await at.leave()
    expect(at.props('form')).toEqual([
      { kind: 'start', form: 'other', field: 'q' },
      { kind: 'submit', form: 'other', field: 'q' },
      { kind: 'start', form: 'other', field: 'q' },
      { kind: 'submit', form: 'other', field: 'q' },
      { kind: 'start', form: 'signup', field: 'mail' },
      { kind: 'abandon', form: 'signup', field: 'mail' },
    ])
  })

  it('in a shadow root is begun and sent as others are', async () => {
    await begin(`<div id=host></div><script>
      host.attachShadow({ mode: 'open' }).innerHTML = '<form name=inner><input name=city><button>Send</button></form>'
      host.shadowRoot.firstChild.addEventListener('submit', event => event.preventDefault())</script>`)
    await at.page.fill('[name=city]', 'secret')
    await at.page.click('#host button')
    await at.leave()
    expect(at.props('form')).toEqual([
      { kind: 'start', form: 'inner', field: 'city' },
      { kind: 'submit', form: 'inner', field: 'city' },
    ])
  })

  it('whose fields are called name and id is told by its own name; a field of no form is not told', async () => {
    await begin(`<input id=free><form id=own><input name=name value=secret><input name=id value=secret></form>`)
    await at.page.fill('#free', 'secret')
    await at.page.fill('[name=id]', 'secret-7')
    await at.leave()
    expect(at.props('form')).toEqual([
      { kind: 'start', form: 'own', field: 'id' },
      { kind: 'abandon', form: 'own', field: 'id' },
    ])
  })
})
