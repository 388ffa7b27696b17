/**
 * One visitor on several domains of an owner. A link or a form that leads from one to another takes
 * `_lt=<visitor>.<session>.<time>` along: only while it is being followed, and only with the purpose `identify`.
 */
import { mayKeep, purposes } from '../consent/state.ts'
import { VISITOR_AGE, write } from './identity.ts'
import { options } from './options.ts'
import { view } from './queue.ts'
import { at, on } from './safely.ts'

/** So long after the click an arrival is believed, ms: a link that is passed on is not somebody else's visitor. */
const FRESH = 180_000
const PARAMETER = /([?&])_lt=([^&#]*)&?/
const SHAPE = /^([0-9a-z]{16})\.([0-9a-z]{16})\.(\d{13})$/

const cookie = (name: string) => RegExp(`(^| )${name}=(\\w{16})(?!\\w)`).exec(document.cookie)?.[2]

export const link = () => {
  const domains = options.link ?? []

  /** The parameter for a URL; empty where it leads to no other domain of the owner, or nobody may be known there. */
  const passTo = (url: string): string => {
    const { protocol, hostname, host } = new URL(url, document.baseURI)
    const [visitor, session] = [cookie('lt'), cookie('lts')]
    const leads = domains.some(domain => hostname === domain || hostname.endsWith(`.${domain}`))
    return mayKeep && /^http/.test(protocol) && host !== location.host && leads && visitor && session
      ? `${visitor}.${session}.${Date.now()}`
      : ''
  }
  /** Changes an attribute while the browser follows it: it reads it right after the event. */
  const lend = (element: Element, name: string, url: string) => {
    const pass = passTo(url)
    if (!pass) return
    const before = element.getAttribute(name)
    const [base = '', ...hash] = url.split('#')
    element.setAttribute(name, [`${base + (base.includes('?') ? '&' : '?')}_lt=${pass}`, ...hash].join('#'))
    setTimeout(() => (before === null ? element.removeAttribute(name) : element.setAttribute(name, before)))
  }

  const clicked = (event: MouseEvent) => {
    if (event.button > 1) return
    const path = event.composedPath() as Partial<Element>[]
    const anchor = path.find(target => target.matches?.('a[href],area[href]')) as HTMLAnchorElement | undefined
    if (anchor?.href) lend(anchor, 'href', `${anchor.href}`)
  }
  on('click', clicked)
  on('auxclick', clicked)
  on<SubmitEvent>('submit', ({ target, submitter }) => {
    const form = target as HTMLFormElement
    // Attributes, as a field with the name `action` hides the form's own; a button's come first.
    const said = (name: string) =>
      submitter?.hasAttribute(`form${name}`) ? submitter.getAttribute(`form${name}`) : form.getAttribute(name)
    const url = new URL(said('action') ?? '', document.baseURI).href
    if (/post/i.test(said('method') ?? '')) {
      const ownAction = submitter?.hasAttribute('formaction')
      return ownAction ? lend(submitter as Element, 'formaction', url) : lend(form, 'action', url)
    }
    // What is sent by GET takes the place of the query.
    const pass = passTo(url)
    if (!pass || /dialog/i.test(said('method') ?? '')) return
    const field = Object.assign(document.createElement('input'), { type: 'hidden', name: '_lt', value: pass })
    form.append(field)
    setTimeout(() => field.remove())
  })

  // On arrival. The parameter goes at once, whatever is in it; without a page view, as the current one is told of it first.
  const [found, , value = ''] = PARAMETER.exec(location.href) ?? []
  const [, from, session, time] = SHAPE.exec(value) ?? []
  if (found) {
    const url = location.href.replace(PARAMETER, '$1').replace(/[?&](?=#|$)/, '')
    view.p.u = url.split(options.hash ? ' ' : '#')[0] as string
    history.replaceState(history.state, '', url)
  }
  const arrived = Date.now()
  let visitor = Math.abs(arrived - Number(time)) < FRESH ? from : undefined
  const decided = () => {
    // Who refused is not known again by a later grant.
    if (purposes && !mayKeep) visitor = undefined
    if (!mayKeep || !visitor || options.cookie || cookie('lt')) return
    write('lt', visitor, VISITOR_AGE)
    write('lts', `${session}.${arrived}`, 1_800)
  }
  at('consent', decided)
  decided()
}
