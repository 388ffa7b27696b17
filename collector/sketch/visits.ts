/** Visits as sketches and scans of sessions count them: whose each is, and what it is told apart by. */
import type { Abortable, Db, FindOptions } from 'mongodb'
import { NONE } from '../rollup/index.ts'
import { beginningIn, type Session } from '../settle/index.ts'
import type { VisitField } from './documents.ts'
import { hashOf, type Seed } from './hash.ts'

export interface Span {
  /** ms since the epoch; the end is not included */
  from: number
  to: number
}

export interface SketchedVisit {
  at: number
  /** of the visitor; a session without one is a visitor of its own */
  hash: number
  session: Pick<Session, VisitField>
}

export interface VisitsAsked extends Span {
  site: string
  told: readonly (VisitField | 'visits')[]
  seed: Seed
}

/** Read at once: some ms of this process. */
const TOGETHER = 1_000

/** Without bots. Each visit of a cookieless day is one, of the same visitor. */
export async function* visitsIn(
  db: Db,
  { site, from, to, told, seed }: VisitsAsked,
  options: FindOptions & Abortable,
): AsyncGenerator<SketchedVisit> {
  const asked = {
    visitor: 1,
    start: 1,
    'visits.start': 1,
    ...Object.fromEntries(told.flatMap(one => (one === 'visits' ? [] : [[one, 1]]))),
  }
  const filter = {
    ...beginningIn(site, { $gte: new Date(from), $lt: new Date(to) }),
    bot: { $exists: false },
  }
  const found = db
    .collection<Session>('sessions')
    .find(filter as object, { ...options, projection: asked, batchSize: TOGETHER })
  for await (const session of found) {
    const hash = hashOf(session.visitor ?? session._id, seed)
    for (const { start } of session.visits ?? [session]) {
      const at = +start
      if (at >= from && at < to) yield { at, hash, session }
    }
  }
}

/** Empty is as if absent. */
export const textOf = (session: SketchedVisit['session'], told: VisitField | 'visits'): string =>
  told === 'visits' ? '' : session[told] || NONE
