/** Puts what was minted for a recipient into the template of a mail. */

export const PIXEL_PLACE = '[[livetag-pixel]]'
export const linkPlace = (link: number): string => `[[livetag-link-${link}]]`
/** Any of them. */
export const PLACE = /\[\[livetag-(?:pixel|link-(\d{1,3}))\]\]/
const PLACES = new RegExp(PLACE, 'g')

/** Of what `livetag email mint` prints, and the API answers, for a recipient. */
export interface Paths {
  pixel: string | null
  links: readonly string[]
}

/**
 * The mail of one recipient, as it is to be sent.
 * @param template as `instrument` makes it
 * @param url of the collector, as mails reach it: `https://stats.example.com`, or with the path under which it is mounted
 * @throws RangeError when the mailing has fewer links than the template has places
 */
export function fill(template: string, { pixel, links }: Paths, url: string): string {
  const base = url.replace(/\/+$/, '')
  return template.replace(PLACES, (_, number?: string) => {
    if (number === undefined) return pixel === null ? '' : imageOf(base + pixel)
    const link = links[Number(number) - 1]
    if (link === undefined) throw new RangeError(`the mailing has no link ${number}: the template is of another one`)
    return escaped(link.startsWith('/') ? base + link : link)
  })
}

/** Not hidden by style: some programs load no image that is not to be seen. */
const imageOf = (src: string): string =>
  `<img src="${escaped(src)}" width="1" height="1" alt="" style="border:0;width:1px;height:1px">`

const ENTITIES: Record<string, string> = { '&': '&amp;', '"': '&quot;', "'": '&#39;', '<': '&lt;', '>': '&gt;' }
const escaped = (text: string): string => text.replace(/[&"'<>]/g, found => ENTITIES[found] ?? found)
