/**
 * What a mail's recipient has done in the last seconds, as far as this collector has seen it: for rules that look at more
 * than one request. Of the newest 10,000 only.
 */
import { LRUCache } from 'lru-cache'

/** So many different links of a mail within so many ms are no person's. */
export const BURST = { links: 3, ms: 3_000 } as const
/** How long after a HEAD what follows is of the same scanner, ms. */
const AFTER_HEAD_MS = 10_000
const MOST = 10_000

interface Seen {
  head: number
  /** when each link was followed last */
  links: Map<number, number>
}

export interface Recent {
  /** Notes a request, and says what it is together with those before. @param link 0 is the pixel */
  note(mail: string, method: string, link: number, now: number): { afterHead: boolean; burst: boolean }
}

const CALM = { afterHead: false, burst: false }

export function createRecent(): Recent {
  const mails = new LRUCache<string, Seen>({ max: MOST })
  return {
    note(mail, method, link, now) {
      let seen = mails.get(mail)
      if (!seen) {
        // Opens alone, which are the most, leave nothing to look at.
        if (link === 0 && method !== 'HEAD') return CALM
        seen = { head: Number.NEGATIVE_INFINITY, links: new Map() }
        mails.set(mail, seen)
      }
      if (method === 'HEAD') seen.head = now
      if (link > 0) seen.links.set(link, now)
      let together = 0
      for (const [other, at] of seen.links) {
        if (now - at < BURST.ms) together++
        else seen.links.delete(other)
      }
      return { afterHead: now - seen.head < AFTER_HEAD_MS, burst: link > 0 && together >= BURST.links }
    },
  }
}
