import { setTimeout as pause } from 'node:timers/promises'

/**
 * Asks again and again until there is an answer; what is thrown meanwhile counts as none.
 * @param limit ms; a function where more time may turn out to be needed
 * @throws Error with what was waited for and the last error
 */
export async function until<T>(
  what: string,
  limit: number | (() => number),
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  every = 25,
): Promise<T> {
  const begun = performance.now()
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      last = error
    }
    const most = typeof limit === 'number' ? limit : limit()
    if (performance.now() - begun > most) {
      throw new Error(`${what}: not within ${Math.round(most / 1000)} s${last ? ` (${(last as Error).message})` : ''}`)
    }
    await pause(every)
  }
}
