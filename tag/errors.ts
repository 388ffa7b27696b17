/** What goes wrong in a page's scripts: uncaught errors and unhandled rejections, with their place. */
import { at, on } from './safely.ts'
import { track } from './track.ts'

/** So many of a page view are told. */
const MOST = 10

/**
 * Of the first line 100 characters, cut between two, as the collector refuses half a surrogate pair; and the first place after
 * it, where there is one.
 */
export const errors = () => {
  /** Each error is told once a view: so one that the tag's own sending causes, as in a page's wrapper of `fetch`, ends there. */
  let told: string[] = []
  at('view', () => {
    told = []
  })
  for (const type of ['error', 'unhandledrejection'])
    on<ErrorEvent & PromiseRejectionEvent>(type, event => {
      const reason = event.reason
      const [key, text, url, place] = /^(.{0,100}).*\n(?:[\s\S]*?(http[^\s?]+)(?:\?\S*)?:(\d+:\d+))?/u.exec(
        `${event.message ?? reason?.message ?? reason}\n${event.filename}:${event.lineno}:${event.colno} ${reason?.stack}`,
      ) as string[]
      // An image that does not load is no error of a script: it is the event's target.
      if (told[MOST - 1] || event.target !== window || told.includes(key as string)) return
      told.push(key as string)
      track('error', { message: text, url, place })
    })
}
