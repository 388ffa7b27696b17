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
const FILE = /\.(pdf|(doc|xls|ppt)x?|csv|txt|zip|t?gz|dmg|exe|msi|mp[34])$/i
/** How often it looks at elements that wait for being seen, and at pages that fit the screen, ms. */
const LOOK = 1_000
const BUILT_IN: Rule[] = [
  {
    on: 'click',
    select: CLICKABLE,
    name: 'click',
    props: { kind: [], url: [], text: [], selector: [] },
  },
  { on: 'click', select: '[data-lt-event]:not(form)', name: '' },
  { on: 'submit', select: 'form[data-lt-event]', name: '' },
  { on: 'seen', select: '[data-lt-impression]', name: 'impression' },
  ...[25, 50, 75, 90, 100].map(
    (depth): Rule => ({ on: 'scroll', value: depth, name: 'scroll', props: { depth: ['is', depth] } }),
  ),
]

/** Where a link leads; nothing for what is none. One inside an SVG has its URL in an object. */
const urlOf = safely((element: HTMLAnchorElement) => {
  const href = element.href as string & Partial<SVGAnimatedString>
  return new URL(href.baseVal ?? href, document.baseURI)
})

/** link, outbound, download, mailto, tel or button */
const kindOf = (element: HTMLAnchorElement) => {
  const { protocol, pathname, host } = urlOf(element) ?? ({} as Partial<URL>)
  return (
    /mailto|tel/.exec(protocol as string)?.[0] ||
    (!host
      ? 'button'
      : element.download || FILE.test(pathname as string)
        ? 'download'
        : host === location.host
          ? 'link'
          : 'outbound')
  )
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
  let looks: number
  /** how far down the view has been, per cent, and how far when it was last left */
  let deepest: number
  let told: number

  /** Each rule for what happened fires for the innermost element of the path that it selects. */
  const hear = (type: string, path: EventTarget[]) => {
    const now = type === 'scroll' && depth()
    // A rule that can't be followed, as its selector is none, is no reason to drop the others.
    for (const { on, select, value, name, props } of all)
      try {
        // A depth is reached once a page view.
        if (on !== type || (now && !(deepest < (value as number) && now >= (value as number)))) continue
        const element = path.find(
          target => !select || (target as Partial<Element>).matches?.(select),
        ) as HTMLAnchorElement
        const values: Props = {}
        for (const key in props) {
          const [from = key, which] = props[key] as Source
          const found = sources[from]?.(element, which as never)
          if (found) values[key] = found
        }
        const { dataset } = element
        // `data-lt-plan-name` is the property `planName`.
        for (const key in dataset)
          if (/^lt(?!Event$)./.test(key)) values[(key[2] as string).toLowerCase() + key.slice(3)] = dataset[key]
        track(name || (dataset.ltEvent as string), values)
      } catch {}
    deepest = Math.max(deepest, now as number)
  }

  const view = () => {
    deepest = told = looks = 0
  }

  at('leave', () => {
    // The end of the page has an event of its own.
    if (deepest > told && deepest < 100) track('scroll', { max: Math.floor(deepest) })
    told = deepest
  })
  at('view', view)
  view()
  for (const type of new Set(['auxclick', ...all.map(rule => rule.on)]))
    on<MouseEvent>(
      window,
      type,
      // button 2 is a context menu, button 1 the middle one
      event => event.button > 1 || hear(type.replace('aux', ''), event.composedPath()),
      true,
    )

  const seen = new WeakSet<Element>()
  // Each look is an observer's first answer: what of an element is in view, also where a box around it cuts it off.
  setInterval(() => {
    const observer = new IntersectionObserver(entries => {
      observer.disconnect()
      for (const { target, intersectionRatio, intersectionRect } of entries)
        if (Math.max(intersectionRatio, intersectionRect.height / innerHeight) >= 0.5) {
          seen.add(target)
          hear('seen', [target])
        }
    })
    for (const { on, select } of all)
      try {
        if (on === 'seen')
          for (const element of document.querySelectorAll(select as string))
            seen.has(element) || observer.observe(element)
      } catch {}
    // A page that fits the screen is seen to its end when it is there for a second, and really shown.
    if (looks++ && !document.hidden && depth() >= 100) hear('scroll', [window])
  }, LOOK)
}
