/** For what may come after the tag: nobody tells when a page gets a new global. */
import { safely } from '../tag/safely.ts'

/**
 * Looks for something until it is there, then calls `found` with it. Each wait is a quarter longer than the one before, so
 * that a page that never gets it is looked at ever less: 23 times in the first minute, 11 in the next ten.
 * @param wait ms until it looks again
 */
export const appear = <T>(look: () => T | undefined | false, found: (it: T) => unknown, wait = 100): void => {
  const it = safely(look)()
  it ? safely(found)(it) : setTimeout(appear, wait, look, found, wait * 1.25)
}
