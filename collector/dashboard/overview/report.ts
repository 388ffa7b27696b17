/** What every part of the overview is given: what is asked, what is known, and how to go on from there. */
import { createContext } from 'preact'
import { useContext, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { QueryAnswer, QueryBody } from '../../query/schema.ts'
import { type Api, ASK_AGAIN, isPassing } from '../shell/api.ts'
import type { Store } from '../shell/store.ts'
import type { Day, Days } from './dates.ts'
import type { Shown } from './params.ts'
import type { Asking } from './questions.ts'
import { type Asked, createScreen, keyOf, type Screen, type ScreenParts } from './screen.ts'

/** Parameters of the address to change; an empty text takes one away. */
export type Change = Readonly<Record<string, string>>

export interface Report {
  shown: Shown
  asking: Asking
  /** the site's day */
  day: Day
  /** null where the range does not consist of days */
  days: Days | null
  properties: readonly string[]
  /** Goes on, as another entry of the browser's history unless it replaces this one. */
  change(change: Change, replace?: boolean): void
  href(change: Change): string
  /** What a click on a value changes. */
  clicked(dim: string, value: string, excludes?: boolean): Change
  /** Asks once, for a file: no estimate comes before the answer. */
  ask(body: QueryBody): Promise<QueryAnswer | null>
  /** for the name of a file and under the title of a picture */
  subtitle: string
}

export const ReportContext = createContext<Report | null>(null)

export function useReport(): Report {
  const report = useContext(ReportContext)
  if (!report) throw new Error('a part of the overview stands outside of it')
  return report
}

export const asker =
  (api: Api): ScreenParts['ask'] =>
  (body, signal, estimated) =>
    api.lines<QueryAnswer>(
      'query',
      body,
      line => {
        const isEstimate = line.meta.sample !== undefined
        if (isEstimate) estimated(line)
        return isEstimate
      },
      signal,
    )

export interface Shows {
  screen: Screen
  of(id: string): Asked
}

/** Asks these questions while they are on the screen. */
export function useScreen(api: Api, questions: Readonly<Record<string, QueryBody>>): Shows {
  const [, draw] = useState(0)
  const screen = useMemo(
    () =>
      createScreen({
        ask: asker(api),
        later(call, ms) {
          const timer = setTimeout(call, ms)
          return () => clearTimeout(timer)
        },
        now: () => performance.now(),
        changed: () => draw(n => n + 1),
      }),
    [api],
  )
  const keys = Object.entries(questions)
    .map(([id, body]) => id + keyOf(body))
    .join()
  useEffect(() => screen.show(questions), [screen, keys])
  useEffect(() => () => screen.close(), [screen])
  return { screen, of: id => screen.of(id, questions[id]) }
}

/** A part of a value that changes more often than this part of it: drawn anew only when that does. */
export function usePicked<T, V>(store: Store<T>, pick: (value: T) => V): V {
  const [value, set] = useState(() => pick(store.get()))
  const how = useRef(pick)
  how.current = pick
  useEffect(() => {
    const look = () => set(() => how.current(store.get()))
    look()
    return store.subscribe(look)
  }, [store])
  return value
}

/** Names out of a list of the site, such as its goals; null until they are known. */
export function useNames(api: Api, field: 'goals' | 'properties', site: string): readonly string[] | null {
  const [names, set] = useState<readonly string[] | null>(null)
  useEffect(() => {
    const gone = new AbortController()
    let timer: number | undefined
    const ask = async () => {
      const answer = await api.get<Record<string, { name: string }[]>>(field, { site }, gone.signal)
      if (gone.signal.aborted) return
      if (answer.ok) set((answer.body[field] ?? []).map(({ name }) => name))
      else if (isPassing(answer.problem)) timer = window.setTimeout(ask, ASK_AGAIN)
      else set([])
    }
    void ask()
    return () => {
      gone.abort()
      window.clearTimeout(timer)
    }
  }, [api, field, site])
  return names
}
