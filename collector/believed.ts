/** What was looked up in the database and is believed for a moment, so that a burst of requests asks once. */

/** How long an answer is believed, ms: what is taken back must be worthless within a second. */
export const BELIEVED_MS = 500
/** Answers held, right and wrong ones: somebody may try many. */
const MOST_HELD = 1_000

export interface Believed<T> {
  get(id: string): Promise<T>
  /** Asks anew from now on. */
  forget(): void
}

/** @param clock ms */
export function believe<T>(look: (id: string) => Promise<T>, clock: () => number): Believed<T> {
  const held = new Map<string, { at: number; answer: Promise<T> }>()
  return {
    async get(id) {
      const before = held.get(id)
      if (before && clock() - before.at < BELIEVED_MS) return await before.answer
      held.delete(id)
      const [oldest] = held.keys()
      if (held.size >= MOST_HELD && oldest !== undefined) held.delete(oldest)
      const asked = { at: clock(), answer: look(id) }
      held.set(id, asked)
      // What could not be read is asked again by the next request.
      asked.answer.catch(() => held.get(id) === asked && held.delete(id))
      return await asked.answer
    },
    forget: () => held.clear(),
  }
}
