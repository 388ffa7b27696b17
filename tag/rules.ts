/**
 * One engine for everything that a page view is watched for: clicks, scroll depth, an owner's own rules.
 *
 * A rule says which event starts it, which element it is about, and what to track (`rule.ts`). This file has the built-in
 * ones, the sources of values, and the two ways in which a rule can come true.
 */
import { options } from './options.ts'
import type { Rule, Source } from './rule.ts'
import { at, on, safely } from './safely.ts'
import { track } from './track.ts'
import type { Props } from './types.ts'

const CLICKABLE = ':any-link,button,[role=button],[type=submit],[type=button]'
/** How often it looks at elements that wait for being seen, and at pages that fit the screen, ms. */
const LOOK = 1_000
/** Without a name: that in the element's `data-lt-event`. */
const BUILT_IN: (Omit<Rule, 'name'> & Partial<Rule>)[] = [
  {
    on: 'click',
    select: CLICKABLE,
    name: 'click',
    props: { kind: [], url: [], text: [], selector: [] },
  },
  { on: 'click', select: '[data-lt-event]:not(form)' },
  { on: 'submit', select: 'form[data-lt-event]' },
  { on: 'seen', select: '[data-lt-impression]', name: 'impression' },
  ...[25, 50, 75, 90, 100].map(
    (depth): Rule => ({ on: 'scroll', value: depth, name: 'scroll', props: { depth: ['is', depth] } }),
  ),
]

/** Where a link leads; nothing for what is none. One inside an SVG has its URL in an object. */
const urlOf = safely(
  (element: { href: string & Partial<SVGAnimatedString> }) =>
    new URL(element.href.baseVal ?? element.href, document.baseURI),
)

/** link, outbound, download, mailto, tel or button */
const kindOf = (element: HTMLAnchorElement) => {
  const url = urlOf(element)
  return (
    /mailto|tel/.exec(url?.protocol as string)?.[0] ||
    (!url?.host
      ? 'button'
      : element.download || /\.(pdf|(doc|xls|ppt)x?|csv|txt|zip|t?gz|dmg|exe|msi|mp[34])$/i.test(url.pathname)
        ? 'download'
        : url.host === location.host
          ? 'link'
          : 'outbound')
  )
}

/** The way to an element, from the nearest one that has an id. */
const pathOf = (element: Element): string => {
  const { parentElement, classList } = element
  // Not the property: in a form, a field with the name `id` hides the form's own.
  const id = element.getAttribute('id')
  return id
    ? `#${id}`
    : (parentElement ? `${pathOf(parentElement)}>` : '') + element.localName + (classList[0] ? `.${classList[0]}` : '')
}

/** Where values come from. An input's `value` is not among them, and must never be. */
const sources: Record<string, (element: HTMLAnchorElement, key: never) => unknown> = {
  is: (_, constant) => constant,
  // Names of attributes are the same in capitals.
  attr: (element, name) => !/^value$/i.test(name) && element.getAttribute(name),
  kind: kindOf,
  url: element => urlOf(element)?.href,
  // Cut between characters: the collector refuses half a surrogate pair. `textContent` would have hidden text in it.
  // biome-ignore lint/performance/useDomNodeTextContent: what a visitor sees is meant
  text: element => /^.{0,100}/su.exec(element.innerText?.trim() || element.ariaLabel || element.title || '')?.[0],
  selector: pathOf,
}

/** How far down the page has been in view, per cent. One pixel is added as zoomed pages end between two. */
const depth = () => ((scrollY + innerHeight + 1) / document.documentElement.scrollHeight) * 100

export const rules = () => {
  const all = [...BUILT_IN, ...(options.rules ?? [])]
  /** how often was looked in this view */
  let looks = 0
  /** how far down the view has been, per cent, and how far when it was last left */
  let deepest = 0
  let told = 0

  /** Each rule for what happened fires for the innermost element of the path that it selects. */
  const hear = (type: string, path: EventTarget[]) => {
    const now = type === 'scroll' && depth()
    // A rule that can't be followed, as its selector is none, is no reason to drop the others.
    all.map(
      safely(({ on, select, value, name, props }) => {
        // A depth is reached once a page view.
        if (on !== type || (now && !(deepest < (value as number) && now >= (value as number)))) return
        const element = path.find(
          target => !select || (target as Partial<Element>).matches?.(select),
        ) as HTMLAnchorElement
        const values: Props = {}
        for (const key in props) {
          const [from = key, which] = props[key] as Source
          const found = sources[from]?.(element, which as never)
          if (found) values[key] = found
        }
        // `data-lt-plan-name` is the property `planName`.
        for (const key in element.dataset)
          if (/^lt(?!Event$)./.test(key)) values[(key[2] as string).toLowerCase() + key.slice(3)] = element.dataset[key]
        track(name || (element.dataset.ltEvent as string), values)
      }),
    )
    deepest = Math.max(deepest, now as number)
  }

  at('leave', () => {
    // The end of the page has an event of its own.
    if (deepest > told && deepest < 100) track('scroll', { max: Math.floor(deepest) })
    told = deepest
  })
  at('view', () => {
    deepest = told = looks = 0
  })
  for (const type of new Set(['auxclick', ...all.map(rule => rule.on)]))
    on<MouseEvent>(
      type,
      // button 2 is a context menu, button 1 the middle one
      event => event.button > 1 || hear(type.replace('aux', ''), event.composedPath()),
    )

  const seen = new WeakSet<Element>()
  // Each look is an observer's first answer: what of an element is in view, also where a box around it cuts it off.
  setInterval(() => {
    const observer = new IntersectionObserver(entries => {
      observer.disconnect()
      for (const entry of entries)
        if (Math.max(entry.intersectionRatio, entry.intersectionRect.height / innerHeight) >= 0.5) {
          seen.add(entry.target)
          hear('seen', [entry.target])
        }
    })
    all.map(
      safely(({ on, select }) => {
        if (on === 'seen')
          for (const element of document.querySelectorAll(select as string))
            seen.has(element) || observer.observe(element)
      }),
    )
    // A page that fits the screen is seen to its end when it is there for a second, and really shown.
    if (looks++ && !document.hidden && depth() >= 100) hear('scroll', [window])
  }, LOOK)
}
