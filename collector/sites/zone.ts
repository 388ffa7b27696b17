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

/** When the zone's day that holds `now` began, ms since the epoch; some days don't begin at midnight. */
export const startOfDay = (now: number, zone: string): number =>
  Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).startOfDay().epochMilliseconds
