/** When visits begin: by hour of the day and day of the week in the site's zone, and more of them as time goes on. */
import { MINUTE_MS } from '../settle/index.ts'
import { dayOf } from '../sites/index.ts'
import type { Draw } from './draw.ts'

/** By hour of the day, from midnight. */
const HOURS = [
  0.28, 0.16, 0.11, 0.09, 0.09, 0.13, 0.27, 0.52, 0.8, 0.97, 1.05, 1.07, 1.02, 1, 1.03, 1.05, 1, 0.95, 0.96, 1.06, 1.14,
  1.02, 0.76, 0.48,
] as const
/** From Sunday. */
const WEEKDAYS = [0.78, 1.06, 1.1, 1.08, 1.04, 0.96, 0.72] as const
/** How much more there is at the end than at the begin. */
const GROWTH = 0.35
/** How far an hour may be from its curve. */
const NOISE = 0.15

const MINUTES = 60

/**
 * Which share of all has come by the end of each minute, from the first on; the last is 1.
 * @param from begin of a day of the zone, as is `to`; ms
 */
export function seasonOf(from: number, to: number, zone: string, draw: Draw): Float64Array {
  const shares = new Float64Array((to - from) / MINUTE_MS)
  let [sum, noise] = [0, 1]
  for (let m = 0; m < shares.length; m++) {
    const at = from + m * MINUTE_MS
    if (m % MINUTES === 0) noise = 1 + NOISE * (2 * draw.share() - 1)
    const { date, start, end } = dayOf(at, zone)
    // Days of 23 or 25 hours are drawn together or out.
    const hour = ((at - start) / (end - start)) * 24
    const weekday = WEEKDAYS[new Date(date).getUTCDay()] ?? 1
    sum += between(hour) * weekday * (1 + (GROWTH * m) / shares.length) * noise
    shares[m] = sum
  }
  return shares.map(share => share / sum)
}

/** Along the line from one hour's middle to the next one's. */
function between(hour: number): number {
  const from = Math.floor(hour - 0.5)
  const part = hour - 0.5 - from
  const [a = 1, b = 1] = [HOURS[(from + 24) % 24], HOURS[(from + 25) % 24]]
  return a + (b - a) * part
}
