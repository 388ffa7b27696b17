/**
 * Hours lie on the grid of the site's time zone: in zones that are a part of an hour off, they begin at :30 or :45 UTC. For
 * all others they are the hours of UTC, whatever the zone.
 */
import { Temporal } from 'temporal-polyfill'
import { getOrAdd } from '../get-or-add.ts'

export const HOUR_MS = 3_600_000

/** A time in which the offset of a zone is the same; ms since the epoch, `to` not included. */
interface Stretch {
  from: number
  to: number
  /** of the zone, what is beyond whole hours, ms */
  beyond: number
}

export interface Hour {
  /** first and, not included, last ms: an hour that a change of the clock cuts is shorter */
  at: number
  end: number
}

/** Stretches held of a zone: those within which events arrive. */
const HELD = 6
const stretches = new Map<string, Stretch[]>()

/** The zone's hour that holds a moment, ms since the epoch. Of a zone that Node does not know it is that of UTC. */
export function hourOf(ts: number, zone: string): Hour {
  const { from, to, beyond } = stretchOf(ts, zone)
  const begin = Math.floor((ts + beyond) / HOUR_MS) * HOUR_MS - beyond
  return { at: Math.max(begin, from), end: Math.min(begin + HOUR_MS, to) }
}

function stretchOf(ts: number, zone: string): Stretch {
  const held = getOrAdd<string, Stretch[]>(stretches, zone, () => [])
  for (const stretch of held) if (ts >= stretch.from && ts < stretch.to) return stretch
  // Finding one takes some ms.
  const stretch = findStretch(ts, zone)
  if (held.unshift(stretch) > HELD) held.pop()
  return stretch
}

function findStretch(ts: number, zone: string): Stretch {
  try {
    const moment = Temporal.Instant.fromEpochMilliseconds(ts).toZonedDateTimeISO(zone)
    // The transition at this very moment is not before it.
    const last = moment.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
    const next = moment.getTimeZoneTransition('next')
    return {
      from: last?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
      to: next?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
      beyond: (moment.offsetNanoseconds / 1e6) % HOUR_MS,
    }
  } catch {
    return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, beyond: 0 }
  }
}
