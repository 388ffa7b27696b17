/** What goes wrong in a page's scripts: uncaught errors and unhandled rejections, with their place. */
import { at, on } from './safely.ts'
import { track } from './track.ts'

/** So many of a page view are told. */
const MOST = 10

export const errors = () => {
  /** Each error is told once a view: so one that the tag's own sending causes, as in a page's wrapper of `fetch`, ends there. */
  let told: string[] = []
  at('view', () => {
    told = []
  })
  for (const type of ['error', 'unhandledrejection'])
    on<ErrorEvent & PromiseRejectionEvent>(window, type, ({ message, filename, lineno, colno, reason }) => {
      // Cut between characters: the collector refuses half a surrogate pair.
      const text = /^.{0,100}/su.exec(message ?? reason?.message ?? reason)?.[0]
      const [spot, url, , place] =
        /(http[^\s?]+)(\?\S*)?:(\d+:\d+)/.exec(`${filename}:${lineno}:${colno} ${reason?.stack}`) ?? []
      const key = `${text}${spot}`
      if (told[MOST - 1] || told.includes(key)) return
      told.push(key)
      track('error', { message: text, url, place })
    })
}
