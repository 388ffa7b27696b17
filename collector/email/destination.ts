/** Where a link leads: checked once, when it is registered, and never read from a request. */
import Type, { type Static } from 'typebox'

export const MOST_URL = 2_048
/** Of a mailing. */
export const MOST_LINKS = 200

const value = Type.Optional(Type.String({ minLength: 1, maxLength: 255 }))
export const Utm = Type.Object(
  { source: value, medium: value, campaign: value, term: value, content: value },
  { additionalProperties: false },
)

/** The address with what is to be added; `undefined` where it is none that a browser may be sent to. */
export function destinationOf(text: string, utm: Static<typeof Utm> = {}): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.password !== '')
    return undefined
  const missing = Object.entries(utm)
    .map(([name, value]) => [`utm_${name}`, value] as [string, string])
    .filter(([name]) => !url.searchParams.has(name))
  // As text: reading and writing the parameters would write anew what was there.
  if (missing.length > 0) url.search += `${url.search ? '&' : '?'}${new URLSearchParams(missing)}`
  return url.href
}
