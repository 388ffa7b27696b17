import { Temporal } from 'temporal-polyfill'

/** Whether Node knows the time zone (an IANA name or an offset such as `+02:00`). */
export function isTimeZone(name: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(name)
    return true
  } catch {
    return false
  }
}

/**
 * When the zone's day that holds `now` began, or one so many days before it; ms since the epoch. Some days don't begin at
 * midnight, and some have 23 or 25 hours.
 */
export const startOfDay = (now: number, zone: string, daysBefore = 0): number =>
  Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).subtract({ days: daysBefore }).startOfDay()
    .epochMilliseconds
