/**
 * One engine for everything that a page view is watched for: clicks, scroll depth, an owner's own rules.
 *
 * A rule says which event starts it, which element it is about, and what to track (`rule.ts`). This file has the built-in
 * ones, the sources of values, and the two ways in which a rule can come true.
 */
import type { Rule, Source } from './rule.ts'
import type { Capability, Props } from './types.ts'

const CLICKABLE = ':any-link,button,[role=button],[type=submit],[type=button]'
const FILE = /\.(pdf|docx?|xlsx?|pptx?|csv|txt|zip|t?gz|dmg|exe|msi|mp[34])$/i
/** Shares of an element at which it is looked at: half a screen of one that is 50 screens high is a hundredth. */
const STEPS = [...Array(101).keys()].map(step => step / 100)
/** How often it looks for new elements to wait for, ms. */
const LOOK = 1_000
/** A page that fits the screen counts as seen to its end after so long, once it is really shown; ms */
const SHOWN = 1_000

const BUILT_IN: Rule[] = [
  {
    on: 'click',
    select: CLICKABLE,
    name: 'click',
    props: { kind: ['kind'], url: ['link'], text: ['text'], selector: ['path'] },
  },
  { on: 'click', select: '[data-lt-event]:not(form)', name: '' },
  { on: 'submit', select: 'form[data-lt-event]', name: '' },
  { on: 'seen', select: '[data-lt-impression]', name: 'impression' },
  ...[25, 50, 75, 90, 100].map(
    (depth): Rule => ({ on: 'scroll', value: depth, name: 'scroll', props: { depth: ['is', depth] } }),
  ),
]

/** A link inside an SVG has its URL in an object, and nothing else that is asked of one: a URL stands for it. */
const linkOf = (
  element: HTMLAnchorElement,
): Pick<HTMLAnchorElement, 'protocol' | 'pathname' | 'host' | 'href'> & { download?: string } => {
  const href = (element.href as unknown as SVGAnimatedString | undefined)?.baseVal
  return href ? new URL(href, document.baseURI) : element
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
  let shown: ReturnType<typeof setTimeout>
  /** how far down the view has been, per cent, and how far when it was last left */
  let deepest: number
  let told: number

  const fire = ({ name, props }: Rule, element?: EventTarget) => {
    const { dataset } = (element ?? {}) as HTMLElement
    const values: Props = {}
    for (const key in props) {
      const [from, which] = props[key] as Source
      const value = sources[from]?.(element as HTMLAnchorElement, which as never)
      if (value) values[key] = value
    }
    // `data-lt-plan-name` is the property `planName`.
    for (const key in dataset)
      if (/^lt(?!Event$)./.test(key)) values[key[2]?.toLowerCase() + key.slice(3)] = dataset[key]
    track(name || (dataset?.ltEvent as string), values)
  }

  /** An event: each rule for its type fires for the innermost element that it selects, through shadow roots. */
  const hear = (event: Pick<Event, 'type' | 'composedPath'>) => {
    // button 2 is a context menu, button 1 the middle one
    if ((event as MouseEvent).button > 1) return
    // A rule that can't be followed, as its selector is none, is no reason to drop the others.
    for (const rule of all)
      try {
        if (rule.on !== event.type.replace('aux', '')) continue
        const element = event
          .composedPath()
          .find(target => !rule.select || (target as Partial<Element>).matches?.(rule.select))
        if (element) fire(rule, element)
      } catch {}
  }

  /** A depth: each rule fires once a page view. */
  const measure = () => {
    const now = depth()
    for (const rule of all)
      if (rule.on === 'scroll' && deepest < (rule.value as number) && now >= (rule.value as number)) fire(rule)
    deepest = Math.max(deepest, now)
  }

  const view = () => {
    deepest = told = 0
    clearTimeout(shown)
    // Frames are drawn for pages that are shown, never for hidden or prerendered ones.
    shown = setTimeout(requestAnimationFrame, SHOWN, () => {
      if (document.documentElement.scrollHeight <= innerHeight) measure()
    })
  }

  at('leave', () => {
    // The end of the page has an event of its own.
    if (deepest > told && deepest < 100) track('scroll', { max: Math.floor(deepest) })
    told = deepest
  })
  at('view', view)
  view()
  for (const type of new Set(['auxclick', ...all.map(rule => rule.on)]))
    on(window, type, type === 'scroll' ? measure : hear, true)

  const seen = new WeakSet<Element>()
  const observer = new IntersectionObserver(
    entries => {
      for (const { target, intersectionRatio, intersectionRect } of entries) {
        if (intersectionRatio >= 0.5 || intersectionRect.height * 2 >= innerHeight) {
          observer.unobserve(target)
          seen.add(target)
          hear({ type: 'seen', composedPath: () => [target] })
        }
      }
    },
    { threshold: STEPS },
  )
  // Elements come and go; to observe one twice changes nothing.
  setInterval(() => {
    for (const { on, select } of all)
      try {
        if (on === 'seen')
          for (const element of document.querySelectorAll(select as string))
            seen.has(element) || observer.observe(element)
      } catch {}
  }, LOOK)
}
