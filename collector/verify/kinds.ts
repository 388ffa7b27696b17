/** What `livetag verify` can find: a closed list, with what each means. */
export const KINDS = {
  'event-doubled': 'an event is in the raw record more often than it was claimed',
  'event-lost': 'an event was claimed and counted, and is not in the raw record',
  'seen-orphan':
    'an id is claimed for a journal page that neither waits nor gave any event: it would be refused as a repeat',
  'session-missing': 'the raw record has events of a session that is not there',
  'session-wrong':
    'start, end, views, events, goals, entry, exit, visits or what it came by of a session are not what its events say',
  'rollup-missing': 'a minute or hour has events, and no rollup that counts them',
  'rollup-wrong': 'the counters of a minute or hour are not what its events and sessions say',
  'upto-stale': 'a rollup says that it contains less than was folded, or more than was ever settled in its lane',
  'closed-wrong': 'a day, week or month that was closed does not say what its hours say',
  parked: 'an event that could not be stored was set aside; no fault of its own',
} as const
export type Kind = keyof typeof KINDS

export interface Found {
  kind: Kind
  site: string
  /** begin of the hour, ISO 8601, UTC */
  hour?: string
  /** of the event, claim, session, rollup (of days, weeks and months, too) or parked event */
  id?: string
  expected?: unknown
  actual?: unknown
  repairable: boolean
  /** why it can't be repaired */
  why?: string
}

/** Something found. */
export interface Fault {
  found: Found
  /** Mends it; `false` when it is not there any more. */
  mend?: () => Promise<boolean>
  /** Takes note of it where it stays, so that it is not found again in what is counted from it. */
  stays?: () => void
}

export interface Report {
  /** whether nothing is left that is wrong */
  ok: boolean
  checked: Record<'events' | 'sessions' | 'rollups' | 'seen', number>
  found: Found[]
  repaired: Found[]
}

export const HOUR_MS = 3_600_000
export const hourOf = (at: Date | number): string => new Date(Math.floor(+at / HOUR_MS) * HOUR_MS).toISOString()
