/**
 * Makes a template of a mail: its links become places for what is minted, and a place for the pixel is added. The mail is read
 * as browsers read it (parse5, the algorithm of the HTML standard) and changed only at these places, so that all else stays byte
 * for byte as it was: Outlook's conditional comments, entities, mistakes.
 */
import { type DefaultTreeAdapterTypes, html as names, parse } from 'parse5'
import { destinationOf, MOST_LINKS, MOST_URL } from './destination.ts'
import { fill, linkPlace, PIXEL_PLACE, PLACE } from './fill.ts'
import { isUnsubscribe } from './unsubscribe.ts'

type Node = DefaultTreeAdapterTypes.Node
type Element = DefaultTreeAdapterTypes.Element

/** Why a link was left as it was. */
export const LEFT = {
  ignored: 'it, or something around it, is marked data-lt-ignore',
  placeholder: 'its address is filled in by a template engine',
  'not-web': 'it is no whole address with http: or https:',
  password: 'its address has a user name or a password',
  'too-long': `its address has more than ${MOST_URL} characters`,
  unsubscribe: 'it ends the sending of mails',
  'too-many': `a mailing has ${MOST_LINKS} links`,
  area: 'it is part of an image map',
} as const
export type Left = keyof typeof LEFT

export interface Instrumented {
  /** the mail with places `[[livetag-link-1]]` … and `[[livetag-pixel]]`, for {@link fill} or any template engine */
  template: string
  /** where the links lead, in their order: what a mailing is registered with. Two with one destination are two links */
  links: string[]
  /** those that stay as they are, in their order */
  left: { href: string; why: Left }[]
}

export interface InstrumentOptions {
  /** addresses that end the sending of mails, such as those of `List-Unsubscribe` */
  unsubscribe?: readonly string[]
}

/** The mail is such that it can not be instrumented; the message says why. */
export class InstrumentError extends Error {
  override name = 'InstrumentError'
}

/** Of a mail, UTF-16 code units: five times what Gmail shows of one. */
export const MOST_HTML = 500_000
/** Of elements in each other. */
const DEEPEST = 1_000
/** No URL has these: braces, and what template engines of mailers begin and end names with. */
const TEMPLATED = /[{}]|\*\||\|\*|<%|%%|\[\[|%(?![0-9a-f]{2})[a-z_][\w.-]*%/i

/** @throws InstrumentError */
export function instrument(html: string, { unsubscribe = [] }: InstrumentOptions = {}): Instrumented {
  if (html.length > MOST_HTML) throw new InstrumentError(`the mail has more than ${MOST_HTML} characters`)
  if (PLACE.test(html))
    throw new InstrumentError('the mail has places of livetag in it already: give the one of before')
  const { anchors, end } = read(html)
  const links: string[] = []
  const left: Instrumented['left'] = []
  const changes: { at: Span; text: string }[] = []
  for (const { href, why, span } of anchors.map(anchor => ({ ...anchor, why: whyLeft(anchor, unsubscribe) }))) {
    const reason = why ?? (links.length === MOST_LINKS ? 'too-many' : undefined)
    if (reason) left.push({ href, why: reason })
    else {
      links.push(href)
      changes.push({ at: span, text: withValue(html.slice(span.from, span.to), linkPlace(links.length)) })
    }
  }
  const template = splice(html, [...changes, { at: { from: end, to: end }, text: PIXEL_PLACE }])
  check(template, links.length)
  return { template, links, left }
}

/** Where something is in the text: code units. */
interface Span {
  from: number
  to: number
}

interface Anchor {
  tag: string
  href: string
  rel: string
  text: string
  ignored: boolean
  /** of the attribute `href`, name and value */
  span: Span
}

/** The links of a mail in their order, and where its body ends. @throws InstrumentError */
function read(html: string): { anchors: Anchor[]; end: number; images: string[] } {
  // The parser takes a byte order mark for a text, which would begin the body.
  const skipped = html.startsWith('\uFEFF') ? 1 : 0
  const document = parse(html.slice(skipped), { sourceCodeLocationInfo: true, scriptingEnabled: false })
  const anchors = new Map<number, Anchor>()
  const images: string[] = []
  let end: number | undefined
  let htmlEnd: number | undefined
  // Without recursion: what nests deep must not end the process.
  const open: { node: Node; ignored: boolean; depth: number }[] = [{ node: document, ignored: false, depth: 0 }]
  for (let entry = open.pop(); entry; entry = open.pop()) {
    const { node, depth } = entry
    if (depth > DEEPEST) throw new InstrumentError(`the mail has elements nested more than ${DEEPEST} deep`)
    let { ignored } = entry
    if ('attrs' in node) {
      ignored ||= attribute(node, 'data-lt-ignore') !== undefined
      const endTag = node.sourceCodeLocation?.endTag?.startOffset
      if (node.tagName === 'body') end = endTag
      if (node.tagName === 'html') htmlEnd = endTag
      if (node.tagName === 'img') images.push(attribute(node, 'src') ?? '')
      const anchor = anchorOf(node, ignored, skipped)
      if (anchor) {
        const before = anchors.get(anchor.span.from)
        // A link that is closed wrongly is there several times, of one tag.
        if (before) {
          before.ignored ||= ignored
          before.text += ` ${anchor.text}`
        } else anchors.set(anchor.span.from, anchor)
      }
    }
    if ('childNodes' in node) for (const child of node.childNodes) open.push({ node: child, ignored, depth: depth + 1 })
  }
  return {
    anchors: [...anchors.values()].sort((a, b) => a.span.from - b.span.from),
    end: (end ?? htmlEnd ?? html.length - skipped) + skipped,
    images,
  }
}

const attribute = ({ attrs }: Element, name: string): string | undefined =>
  attrs.find(attr => attr.name === name)?.value

function anchorOf(element: Element, ignored: boolean, skipped: number): Anchor | undefined {
  const { tagName, namespaceURI, sourceCodeLocation: place } = element
  if ((tagName !== 'a' && tagName !== 'area') || namespaceURI !== names.NS.HTML) return undefined
  const href = attribute(element, 'href')?.trim()
  const at = place?.attrs?.href
  if (href === undefined || !at) return undefined
  return {
    tag: tagName,
    href,
    rel: attribute(element, 'rel') ?? '',
    text: textOf(element),
    ignored,
    span: { from: at.startOffset + skipped, to: at.endOffset + skipped },
  }
}

function textOf(element: Element): string {
  let text = ''
  const open: Node[] = [element]
  for (let node = open.pop(); node; node = open.pop()) {
    if ('value' in node) text += node.value
    else if ('attrs' in node && node.tagName === 'img') text += ` ${attribute(node, 'alt') ?? ''} `
    if ('childNodes' in node) open.push(...node.childNodes.toReversed())
  }
  return text
}

function whyLeft(anchor: Anchor, unsubscribe: readonly string[]): Left | undefined {
  const { tag, href, ignored } = anchor
  if (ignored) return 'ignored'
  if (TEMPLATED.test(href)) return 'placeholder'
  if (!/^https?:\/\//i.test(href) || !URL.canParse(href)) return 'not-web'
  if (isUnsubscribe(anchor, unsubscribe)) return 'unsubscribe'
  if (tag === 'area') return 'area'
  if (href.length > MOST_URL) return 'too-long'
  return destinationOf(href) === undefined ? 'password' : undefined
}

/** Another value for an attribute, its name and quotes as they were. */
function withValue(source: string, value: string): string {
  const [, before = '', quote = ''] = /^([^=]*=\s*)(["']?)/.exec(source) ?? []
  return quote === '' ? `${before}"${value}"` : `${before}${quote}${value}${quote}`
}

function splice(text: string, changes: readonly { at: Span; text: string }[]): string {
  let made = ''
  let from = 0
  for (const change of changes.toSorted((a, b) => a.at.from - b.at.from)) {
    made += text.slice(from, change.at.from) + change.text
    from = change.at.to
  }
  return made + text.slice(from)
}

/** What was made is read again: a mail that is cut off, in a comment for example, would swallow the pixel. */
function check(template: string, links: number): void {
  const paths = Array.from({ length: links }, (_, i) => `/l/${i}`)
  const { anchors, images } = read(fill(template, { pixel: '/p/x.gif', links: paths }, CHECKED))
  const found = new Set(anchors.map(({ href }) => href))
  if (!images.includes(`${CHECKED}/p/x.gif`))
    throw new InstrumentError(
      'there is no place for the pixel: the mail seems to be cut off, or a tag or comment at its end is not closed',
    )
  if (!paths.every(path => found.has(CHECKED + path)))
    throw new InstrumentError('its links can not be told apart: the mail is no HTML that mail programs would agree on')
}
const CHECKED = 'https://stats.invalid'
