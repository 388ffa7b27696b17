/** Properties of the tag's own events that may hold what nobody meant to tell: cleaned, whatever tag sent them. */
import { cleanText, cleanUrl } from './url.ts'

type Props = Record<string, unknown>

/** In place of a text: cleaned; anything else is left as it is. */
const by = (clean: (text: string) => string, value: unknown) => (typeof value === 'string' ? clean(value) : value)

/**
 * Of `error` its message (`JSON.parse` quotes what it could not read, and that may have been typed) and the script's URL, which
 * for a script in the page is the page's; of `media` its URL.
 * @returns a copy where something is to be cleaned
 */
export function cleanBuiltIn(name: string, props: Props | undefined): Props | undefined {
  if (!props || (name !== 'error' && name !== 'media')) return props
  const { url, message } = props
  return {
    ...props,
    ...(url !== undefined && { url: by(cleanUrl, url) }),
    ...(message !== undefined && name === 'error' && { message: by(cleanText, message) }),
  }
}
