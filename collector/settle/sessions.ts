/**
 * Sessions, right under disorder: each event is applied by its own time, so the order of arrival does not matter (only
 * events of the same ms keep it), and what a session adds to the counters is the difference between after and before.
 */
import { ATTRIBUTES, type Attribute, type JournalEvent } from '../journal/index.ts'
import { KEPT } from '../store/index.ts'
import { addToVisits, type Visit } from './visits.ts'

/** Steps of a session stop here; `stepsCut` says so. */
export const MAX_STEPS = 1_000

export interface Step {
  at: Date
  name: string
  path: string
}

/** Where it came from and what it was seen with; absent or empty where that is not known. */
type Attributes = { [attribute in Attribute]?: string | undefined }

export interface Session extends Attributes {
  _id: string
  site: string
  visitor?: string
  start: Date
  end: Date
  /** path of the first page view and when it was; without page views, of the first event */
  entry: string
  entryAt?: Date
  /** the same of the last one */
  exit: string
  exitAt?: Date
  /** of the first page view; without page views, of the first event. So are all attributes, and `bot`. In sessions of before hours were counted there is none: these are in no hour. */
  host?: string
  source: string
  views: number
  events: number
  /** for how long its page views had the visitor, ms: the sum of what `engagement` events tell */
  engaged: number
  /** conversions: of each event the goals that it meets */
  goals: number
  /** in the order of their time */
  steps: Step[]
  stepsCut?: true
  /** of a cookieless visitor, whose document holds a day: what it is divided into and counted as */
  visits?: Visit[]
  bot?: string | undefined
  expires: Date
}

export const sessionKey = ({ site, session }: JournalEvent): string | undefined =>
  session === undefined ? undefined : `${site}:${session}`

/** Applies an event to a session, in place: `draft` is a copy of one's own. */
export function applyEvent(draft: Session, event: JournalEvent): void {
  const { ts, path, name } = event
  // Dates are compared by their numbers: `<` between dates takes forty times as long, and this is done for every event.
  const at = ts.getTime()
  if (name !== 'pageview' && draft.views === 0) {
    if (at < draft.start.getTime()) begin(draft, event)
    if (at >= draft.end.getTime()) draft.exit = path
  }
  if (at < draft.start.getTime()) draft.start = ts
  if (at > draft.end.getTime()) {
    draft.end = ts
    draft.expires = expiryOf(ts)
  }
  draft.events++
  const engaged = name === 'engagement' ? engagedMs(event) : 0
  draft.engaged += engaged
  draft.goals += event.goals?.length ?? 0
  if (draft.visitor === undefined && event.visitor !== undefined) draft.visitor = event.visitor
  if (name === 'pageview') {
    draft.views++
    if (!draft.entryAt || at < draft.entryAt.getTime()) {
      draft.entryAt = ts
      begin(draft, event)
    }
    if (!draft.exitAt || at >= draft.exitAt.getTime()) {
      draft.exitAt = ts
      draft.exit = path
    }
  }
  if (draft.visits) addToVisits(draft.visits, event, engaged)
  if (draft.steps.length < MAX_STEPS) addStep(draft.steps, { at: ts, name, path })
  else draft.stepsCut = true
}

const READ = Object.entries(ATTRIBUTES) as [Attribute, (event: JournalEvent) => string | undefined][]

type Begun = 'entry' | 'source'
/** Of which no event has told yet how it came about. */
type Unbegun = Omit<Session, Begun> & { [field in Begun]?: Session[field] }

/** What this event tells of how the session came about is what holds. */
function begin(draft: Unbegun, event: JournalEvent): asserts draft is Session {
  draft.entry = event.path
  draft.host = event.host
  const attributes: Attributes = draft
  for (const [attribute, read] of READ) attributes[attribute] = read(event) || undefined
  draft.bot = event.bot
}

/** An event tells at most what one page view can have of a day, and nothing that is no time. */
function engagedMs({ props }: JournalEvent): number {
  const ms = props?.ms
  return typeof ms === 'number' && ms > 0 && ms <= 86_400_000 ? Math.round(ms) : 0
}

/** A copy that {@link applyEvent} may change. */
export function draftOf(session: Session): Session {
  // One of before is counted in hours from this change on.
  const draft = { ...session, host: session.host ?? '', steps: [...session.steps] }
  if (draft.visits) draft.visits = draft.visits.map(visit => ({ ...visit }))
  return draft
}

/** A session without events yet, begun by this one. */
export function openSession(event: JournalEvent, _id: string): Session {
  const { site, ts, path, consent } = event
  const session: Unbegun = {
    _id,
    site,
    start: ts,
    end: ts,
    exit: path,
    views: 0,
    events: 0,
    engaged: 0,
    goals: 0,
    steps: [],
    ...(consent === 'l' && { visits: [] }),
    expires: expiryOf(ts),
  }
  begin(session, event)
  return session
}

const expiryOf = (end: Date): Date => new Date(end.getTime() + KEPT.events)

function addStep(steps: Step[], step: Step): void {
  const at = step.at.getTime()
  let place = steps.length
  while (place > 0 && at < (steps[place - 1]?.at ?? step.at).getTime()) place--
  if (place === steps.length) steps.push(step)
  else steps.splice(place, 0, step)
}
