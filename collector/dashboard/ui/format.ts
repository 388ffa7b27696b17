/** Numbers and times as the reader writes them. Formatters are made once: making one costs more than a hundred uses. */
export interface Format {
  count(value: number): string
  /** for a narrow place: 12.3K */
  compact(value: number): string
  /** a rate: one decimal below ten */
  rate(value: number): string
  percent(share: number): string
  /** with one decimal, as of a click-through rate */
  share(share: number): string
  /** hours, minutes and seconds in the site's zone */
  time(ms: number): string
  /** hours and minutes in the site's zone */
  minute(ms: number): string
  /** the day in the site's zone */
  day(ms: number): string
  /** the day, hours and minutes in the site's zone */
  hour(ms: number): string
  /** “now”, “3 seconds ago”, “2 minutes ago” */
  ago(ms: number): string
  /** a short duration: “84 ms”, “1.2 sec” */
  duration(ms: number): string
}

/** `locale` undefined means the browser's own. */
export function format(locale: string | undefined, timeZone: string): Format {
  const zone = knownZone(timeZone)
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
  const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 })
  const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 })
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', ...zone })
  const minute = new Intl.DateTimeFormat(locale, { timeStyle: 'short', ...zone })
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', ...zone })
  const hour = new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'short',
    hour: 'numeric',
    minute: '2-digit',
    ...zone,
  })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const unit = (name: string, maximumFractionDigits: number) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits })
  const milliseconds = unit('millisecond', 0)
  const seconds = unit('second', 1)
  return {
    count: value => (Math.abs(value) < 1e6 ? number : compact).format(value),
    compact: value => (Math.abs(value) < 10_000 ? decimal : compact).format(value),
    rate: value => (value < 10 ? decimal : number).format(value),
    percent: value => percent.format(value),
    share: value => share.format(value),
    time: ms => time.format(ms),
    minute: ms => minute.format(ms),
    day: ms => day.format(ms),
    hour: ms => hour.format(ms),
    ago(ms) {
      const past = Math.max(0, Math.floor(ms / 1_000))
      if (past < 60) return relative.format(-past, 'second')
      if (past < 3_600) return relative.format(-Math.floor(past / 60), 'minute')
      return past < 86_400
        ? relative.format(-Math.floor(past / 3_600), 'hour')
        : relative.format(-Math.floor(past / 86_400), 'day')
    },
    duration: ms => (ms < 1_000 ? milliseconds.format(ms) : seconds.format(ms / 1_000)),
  }
}

/** A zone that this browser does not know falls back to its own. */
function knownZone(timeZone: string): { timeZone?: string } {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return { timeZone }
  } catch {
    return {}
  }
}
