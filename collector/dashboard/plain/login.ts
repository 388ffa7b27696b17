/**
 * Says on the login page what went wrong: `?error=<code>`, or `?used` for a login link that was used before. Codes are
 * looked up and never shown, so that nobody can put words on this page with a link to it.
 */
import { loginStrings } from '../strings.ts'

const codes: Record<string, string> = {
  used: loginStrings.used,
  expired: loginStrings.expired,
  wrong: loginStrings.wrong,
  limit: loginStrings.limit,
}

/** The text for a query string, or null when nothing went wrong. */
export function loginError(search: string): string | null {
  const query = new URLSearchParams(search)
  const code = query.has('used') ? 'used' : query.get('error')
  if (code === null) return null
  return Object.hasOwn(codes, code) ? (codes[code] ?? null) : loginStrings.other
}
