/**
 * Sessions, right under disorder: each event is applied by its own time, so the order of arrival does not matter, and
 * what a session adds to the counters is the difference between after and before.
 */
import type { JournalEvent } from '../journal/index.ts'
import { KEPT } from '../store/collections.ts'

/** Steps of a session stop here; `stepsCut` says so. */
export const MAX_STEPS = 1_000

export interface Step {
  at: Date
  name: string
  path: string
}

export interface Session {
  _id: string
  site: string
  visitor?: string
  start: Date
  end: Date
  /** path of the first page view and when it was */
  entry: string
  entryAt?: Date
  /** path of the last page view and when it was */
  exit: string
  exitAt?: Date
  /** where the first page view came from */
  source: string
  device: string
  browser: string
  os: string
  views: number
  events: number
  engaged: number
  goals: number
  /** in the order of their time */
  steps: Step[]
  stepsCut?: true
  bot?: string
  expires: Date
}

export const sessionKey = ({ site, session }: JournalEvent): string | undefined =>
  session === undefined ? undefined : `${site}:${session}`

/** The session after this event. The one that came in is left as it was. */
export function applyEvent(before: Session | undefined, event: JournalEvent, _id: string): Session {
  const { ts, path, name } = event
  const session: Session = before ? { ...before } : open(event, _id)
  if (ts < session.start) session.start = ts
  if (ts > session.end) session.end = ts
  session.events++
  if (session.visitor === undefined && event.visitor !== undefined) session.visitor = event.visitor
  if (name === 'pageview') {
    session.views++
    if (!session.entryAt || ts < session.entryAt) {
      session.entryAt = ts
      session.entry = path
      session.source = event.source
    }
    if (!session.exitAt || ts >= session.exitAt) {
      session.exitAt = ts
      session.exit = path
    }
  }
  if (session.steps.length < MAX_STEPS) session.steps = withStep(session.steps, { at: ts, name, path })
  else session.stepsCut = true
  return session
}

function open(event: JournalEvent, _id: string): Session {
  const { site, ts, path, source, device, browser, os, bot } = event
  return {
    _id,
    site,
    start: ts,
    end: ts,
    entry: path,
    exit: path,
    source,
    device,
    browser,
    os,
    views: 0,
    events: 0,
    engaged: 0,
    goals: 0,
    steps: [],
    ...(bot !== undefined && { bot }),
    expires: new Date(+ts + KEPT.events),
  }
}

function withStep(steps: Step[], step: Step): Step[] {
  let place = steps.length
  while (place > 0 && step.at < (steps[place - 1]?.at ?? step.at)) place--
  return steps.toSpliced(place, 0, step)
}
