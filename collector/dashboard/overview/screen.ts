/**
 * The questions that are on the screen at a time, and what is known of each. Those of another address are aborted, and
 * their answers never show; one that is asked again keeps its answer until there is a newer one. Where a question is large, an
 * estimate is shown until there is an answer, and never in place of one.
 */
import type { QueryAnswer, QueryBody } from '../../query/schema.ts'
import type { Answer, Problem } from '../shell/api.ts'

export interface Asked {
  answer: QueryAnswer | null
  /** made of a share of the visitors, for as long as there is no answer */
  estimate: QueryAnswer | null
  /** why there is no answer, or no newer one */
  problem: Problem | null
  /** since when it is asked, ms; null where it is not */
  since: number | null
  /** whether the reader did not want to wait */
  isStopped: boolean
}
export const NOT_ASKED: Asked = { answer: null, estimate: null, problem: null, since: null, isStopped: false }
export const shownOf = ({ answer, estimate }: Asked): QueryAnswer | null => answer ?? estimate

export interface Screen {
  /** Asks what is new, and lets go of what is not there any more. */
  show(questions: Readonly<Record<string, QueryBody>>): void
  /** What is known of a question, if it is still the same. */
  of(id: string, body: QueryBody | undefined): Asked
  /** Asks everything anew, or what has no answer; what is shown stays. */
  again(which?: 'all' | 'failed'): void
  /** Stops what has no answer yet. */
  stop(): void
  close(): void
}

export interface ScreenParts {
  /** @param estimated told what comes before the answer */
  ask(body: QueryBody, signal: AbortSignal, estimated: (estimate: QueryAnswer) => void): Promise<Answer<QueryAnswer>>
  /** calls back after so many ms; the result cancels it */
  later(call: () => void, ms: number): () => void
  now(): number
  /** something is known that was not before */
  changed(): void
}

/** Others are asking, too: once more after this, ms, and so many times. */
const WAIT = 1_500
const TRIES = 6

interface Held extends Asked {
  body: QueryBody
  /** asked again before it was answered: that answer may not have what there was then */
  isOld: boolean
  key: string
  end(): void
}

export function createScreen({ ask, later, now, changed }: ScreenParts): Screen {
  const held = new Map<string, Held>()

  function begin(one: Held, tries = TRIES): void {
    one.end()
    const gone = new AbortController()
    let cancel = () => {}
    one.end = () => {
      gone.abort()
      cancel()
      one.since = null
      one.end = () => {}
    }
    if (tries === TRIES) one.since = now()
    else one.since ??= now()
    one.isStopped = false
    if (tries === TRIES) one.isOld = false
    const estimated = (estimate: QueryAnswer): void => {
      // That a share of the visitors has none of it does not say that nobody has.
      if (gone.signal.aborted || one.answer || estimate.results.length === 0) return
      one.estimate = estimate
      one.problem = null
      changed()
    }
    void ask(one.body, gone.signal, estimated).then(answer => {
      if (gone.signal.aborted) return
      if (!answer.ok && answer.problem.code === 'too-many-queries' && tries > 0) {
        cancel = later(() => begin(one, tries - 1), WAIT)
        return
      }
      one.since = null
      one.problem = answer.ok ? null : answer.problem
      if (answer.ok) one.estimate = null
      if (answer.ok && isNewer(answer.body, one.answer)) one.answer = answer.body
      if (one.isOld) begin(one)
      changed()
    })
  }

  return {
    show(questions) {
      for (const [id, one] of held) {
        if (questions[id] && keyOf(questions[id]) === one.key) continue
        one.end()
        held.delete(id)
      }
      for (const [id, body] of Object.entries(questions)) {
        if (held.has(id)) continue
        const one: Held = { ...NOT_ASKED, body, key: keyOf(body), isOld: false, end: () => {} }
        held.set(id, one)
        begin(one)
      }
      changed()
    },
    of(id, body) {
      const one = body && held.get(id)
      return one && one.key === keyOf(body) ? one : NOT_ASKED
    },
    again(which = 'all') {
      for (const one of held.values()) {
        if (one.since !== null) one.isOld ||= which === 'all'
        else if (which === 'all' || one.problem || one.isStopped) begin(one)
      }
      changed()
    },
    stop() {
      for (const one of held.values()) {
        if (one.since === null || one.answer) continue
        one.end()
        one.isStopped = true
      }
      changed()
    },
    close() {
      for (const one of held.values()) one.end()
      held.clear()
    },
  }
}

export const keyOf = (body: QueryBody): string => JSON.stringify(body)

/** An answer that was made before the one that is shown says less. */
export const isNewer = (answer: QueryAnswer, before: QueryAnswer | null): boolean =>
  before === null || Date.parse(answer.meta.fresh) >= Date.parse(before.meta.fresh)
