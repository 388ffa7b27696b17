/** A mailing's report, as it comes from the API, and what of it are people. */
import type { Static } from 'typebox'
import type { Class, EventsByClass, ReportOutput } from '../../email/report-shape.ts'

export type Report = Static<typeof ReportOutput>

/** In the order in which they are shown: what surely are people, what may be, what are none. */
export const CLASSES: readonly Class[] = ['human', 'image-proxy', 'privacy-proxy', 'prefetch', 'scanner']

/** Opens or clicks that people made, as far as can be told; and all others. */
export function sides(events: EventsByClass): [people: number, others: number] {
  const people = events.human + events['image-proxy']
  return [people, CLASSES.reduce((sum, kind) => sum + events[kind], 0) - people]
}

export interface Step {
  /** ms */
  at: number
  opens: [people: number, others: number]
  clicks: [people: number, others: number]
}

const HOUR = 3_600_000
/** More steps than any mailing has: a clock that was years off makes no chart of years. */
const MOST = 600

/** From the first open or click to the last, with those hours or days in which there was none. */
export function steps({ grain, overTime }: Pick<Report, 'grain' | 'overTime'>): Step[] {
  const length = grain === 'hour' ? HOUR : 24 * HOUR
  const all: Step[] = []
  for (const { at, opens, clicks } of overTime) {
    const next = Date.parse(at)
    // Where clocks change a day has an hour more or less.
    for (let last = all.at(-1)?.at ?? next; next - last > 1.5 * length && all.length < MOST; ) {
      last += length
      all.push({ at: last, opens: [0, 0], clicks: [0, 0] })
    }
    all.push({ at: next, opens: sides(opens), clicks: sides(clicks) })
  }
  return all
}
