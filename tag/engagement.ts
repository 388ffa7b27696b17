/** For how long a page view had its visitor: visible, focused, and with some input within the last half minute. */
import { at, on } from './safely.ts'
import { track } from './track.ts'

/** So long after an input somebody is still reading, ms. */
const READING = 30_000
/** Less is not worth an event, ms: it goes with the next one. */
const LEAST = 100

/** Each moment is counted once: what was told is not told again after the page was hidden, frozen or another view of an app. */
export const engagement = () => {
  /** counted up to here, ms */
  let from = 0
  /** and counts on until here: the past where nobody is there, ms */
  let until = 0
  /** not told yet, ms */
  let engaged = 0

  const count = (input?: unknown) => {
    const now = Date.now()
    // A clock that is set back takes nothing away; one that is set forward, or a computer asleep, adds half a minute at most.
    engaged += Math.max(0, Math.min(now, until) - from)
    from = now
    // A page in which a frame has the focus has it, too.
    if (input) until = document.hasFocus() && !document.hidden ? now + READING : 0
  }
  for (const type of ['keydown', 'pointerdown', 'pointermove', 'scroll', 'focus', 'blur', 'visibilitychange'])
    on(type, count)
  at('leave', () => {
    count()
    if (engaged < LEAST) return
    track('engagement', { ms: engaged })
    engaged = 0
  })
  count(1)
}
