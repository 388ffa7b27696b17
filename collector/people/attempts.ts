/**
 * How often something secret may be tried: counted in this process, in windows of a quarter of an hour, under a hash with a
 * key that lives as long as the process. So neither an address nor an e-mail address is kept, and memory is bounded.
 */
import { createHmac, randomBytes } from 'node:crypto'

const WINDOW_MS = 15 * 60_000
/** Names counted at a time; the oldest is forgotten first. */
const MOST_HELD = 20_000

/** How often in a window. */
export const ATTEMPTS = {
  /** from one network (/24, /48), whatever is tried */
  network: 60,
  /** of one account or shared link from one network: who sits elsewhere is not kept out by it */
  both: 10,
  /** of one account or shared link, from everywhere */
  subject: 200,
} as const

export interface Attempts {
  /**
   * Counts a try, before it is looked at: also those that run at the same time.
   * @param network truncated address
   * @param subject what is tried: an e-mail address, the token of a shared link; absent where there is nothing to name
   * @returns how to give it back, where it was right or nothing was tried; or after how many seconds to come again
   */
  begin(network: string, subject?: string): { giveBack(): void } | { retryAfter: number }
}

/** @param clock ms */
export function createAttempts(clock: () => number): Attempts {
  const key = randomBytes(32)
  const counts = new Map<string, number>()
  let window = 0

  const nameOf = (kind: string, ...parts: string[]): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([kind, ...parts]))
      .digest('base64url')
  const add = (name: string, n: number): void => {
    const count = (counts.get(name) ?? 0) + n
    counts.delete(name)
    if (count > 0) counts.set(name, count)
    const [oldest] = counts.keys()
    if (counts.size > MOST_HELD && oldest !== undefined) counts.delete(oldest)
  }

  return {
    begin(network, subject) {
      const now = clock()
      const present = Math.floor(now / WINDOW_MS)
      if (present !== window) counts.clear()
      window = present
      const limits: [name: string, most: number][] = [[nameOf('network', network), ATTEMPTS.network]]
      if (subject !== undefined)
        limits.push([nameOf('both', network, subject), ATTEMPTS.both], [nameOf('subject', subject), ATTEMPTS.subject])
      if (limits.some(([name, most]) => (counts.get(name) ?? 0) >= most))
        return { retryAfter: Math.ceil((WINDOW_MS - (now % WINDOW_MS)) / 1_000) }
      for (const [name] of limits) add(name, 1)
      return {
        giveBack() {
          if (window === present) for (const [name] of limits) add(name, -1)
        },
      }
    },
  }
}
