/**
 * One engine for everything that a page view is watched for: clicks, scroll depth, an owner's own rules.
 *
 * A rule says which event starts it, which element it is about, and what to track (`rule.ts`). This file has the built-in
 * ones, the sources of values, and the two ways in which a rule can come true.
 */
import type { Rule, Source } from './rule.ts'
import type { Capability, Props } from './types.ts'

const CLICKABLE = 'a[href],area[href],button,[role=button],[type=submit],[type=button],[type=image]'
const FILE = /\.(pdf|docx?|xlsx?|pptx?|od[st]|csv|txt|epub|zip|7z|rar|t?gz|dmg|exe|msi|apk|mp[34]|mov)$/i
/** A page that fits the screen counts as seen to its end after so long, once it is really shown; ms */
const SHOWN = 1_000

const click = (on: string): Rule => ({
  on,
  select: CLICKABLE,
  name: 'click',
  props: { kind: ['kind'], url: ['link'], text: ['text'], selector: ['path'] },
})

const BUILT_IN: Rule[] = [
  click('click'),
  click('auxclick'),
  ...[25, 50, 75, 90, 100].map(
    (depth): Rule => ({ on: 'scroll', value: depth, name: 'scroll', props: { depth: ['is', depth] } }),
  ),
]

/** A link inside an SVG has its URL in an object, and nothing else that is asked of one: another link stands for it. */
const linkOf = (element: HTMLAnchorElement): HTMLAnchorElement => {
  const href = (element.href as unknown as SVGAnimatedString | undefined)?.baseVal
  return href ? Object.assign(document.createElement('a'), { href }) : element
}

/** link, outbound, download, mailto, tel or button */
const kindOf = (element: HTMLAnchorElement) => {
  const { protocol, download, pathname, host } = linkOf(element)
  const scheme = /^(http|mailto|tel)/.exec(protocol)?.[0]
  return !scheme
    ? 'button'
    : scheme !== 'http'
      ? scheme
      : download || FILE.test(pathname)
        ? 'download'
        : host === location.host
          ? 'link'
          : 'outbound'
}

/** The way to an element, from the nearest one that has an id. */
const pathOf = (element: Element): string => {
  const { parentElement, localName, classList } = element
  // Not the property: in a form, a field with the name `id` hides the form's own.
  const id = element.getAttribute('id')
  return id
    ? `#${id}`
    : (parentElement ? `${pathOf(parentElement)}>` : '') + localName + (classList[0] ? `.${classList[0]}` : '')
}

/** Where values come from. An input's `value` is not among them, and must never be. */
const sources: Record<string, (element: HTMLAnchorElement, key: never) => unknown> = {
  is: (_, constant) => constant,
  // Names of attributes are the same in capitals.
  attr: (element, name) => (/^value$/i.test(name) ? undefined : element.getAttribute(name)),
  kind: kindOf,
  link: element => linkOf(element).href,
  // Cut between characters: the collector refuses half a surrogate pair. `textContent` would have hidden text in it.
  // biome-ignore lint/performance/useDomNodeTextContent: what a visitor sees is meant
  text: element => /^.{0,100}/su.exec(element.innerText?.trim() || element.ariaLabel || element.title || '')?.[0],
  path: pathOf,
}

/** How far down the page has been in view, per cent. One pixel is added as zoomed pages end between two. */
const depth = () => ((scrollY + innerHeight + 1) / document.documentElement.scrollHeight) * 100

export const rules: Capability = ({ track, on, at, options }) => {
  const all = [...BUILT_IN, ...(options.rules ?? [])]
  let reached: Set<Rule>
  let shown: ReturnType<typeof setTimeout>

  const fire = ({ name, props }: Rule, element?: EventTarget) => {
    const values: Props = {}
    for (const key in props) {
      const [from, which] = props[key] as Source
      const value = sources[from]?.(element as HTMLAnchorElement, which as never)
      if (value) values[key] = value
    }
    track(name, values)
  }

  /** An event: each rule for its type fires for the innermost element that it selects, through shadow roots. */
  const hear = (event: Event) => {
    // button 2 is a context menu
    if ((event as MouseEvent).button > 1) return
    for (const rule of all) {
      if (rule.on !== event.type) continue
      const element = event
        .composedPath()
        .find(target => !rule.select || (target as Partial<Element>).matches?.(rule.select))
      if (element) fire(rule, element)
    }
  }

  /** A depth: each rule fires once a page view. */
  const measure = () => {
    for (const rule of all) {
      if (rule.on !== 'scroll' || reached.has(rule) || depth() < (rule.value ?? 0)) continue
      reached.add(rule)
      fire(rule)
    }
  }

  const view = () => {
    reached = new Set()
    clearTimeout(shown)
    // Frames are drawn for pages that are shown, never for hidden or prerendered ones.
    shown = setTimeout(requestAnimationFrame, SHOWN, () => {
      if (document.documentElement.scrollHeight <= innerHeight) measure()
    })
  }

  at('view', view)
  view()
  for (const type of new Set(all.map(rule => rule.on))) on(window, type, type === 'scroll' ? measure : hear, true)
}
