/**
 * Builds the sketches of a finished day from its sessions and its events. There are no clocks in it: the revisions are read
 * before these, so what changes meanwhile makes the sketches stale, and they are built anew.
 */
import { Binary, type Db } from 'mongodb'
import { readRevisions } from '../settle/index.ts'
import {
  ALL,
  EVENT_FIELDS,
  type HeadDocument,
  headId,
  heads,
  makeSeed,
  type SketchedField,
  VISIT_FIELDS,
} from './documents.ts'
import { eventsIn, textsOf } from './events.ts'
import type { Seed } from './hash.ts'
import { LIMITS, MAJORITY, replaceSketches } from './replace.ts'
import { addHash, emptySketch, packSketch, type Sketch } from './sketch.ts'
import { startValues, type Values } from './values.ts'
import { type Span, textOf, visitsIn } from './visits.ts'

/**
 * @param builtAt now, ms: from which on it is waited until it is built again
 * @returns whether it was built: not where it holds already, and not where somebody else was quicker
 */
export async function buildDay(
  db: Db,
  site: string,
  { from, to }: Span,
  builtAt: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const seed = await makeSeed(db, site)
  return await db.client.withSession({ causalConsistency: true }, async session => {
    const _id = headId(site, from)
    const before = await heads(db).findOne({ _id }, { ...MAJORITY, session })
    const revision = (await readRevisions(db, site, { from, to }, { ...MAJORITY, session }))(from, to)
    const isSame = before?.revision === revision.visits && before.events?.revision === revision.events
    if (isSame && +before.to === to) return false
    const asked = { site, from, to, seed }
    const options = { ...LIMITS, ...MAJORITY, session, ...(signal && { signal }) }
    return await replaceSketches(
      db,
      { site, grain: 'day', from, to },
      before,
      async (shared, write): Promise<HeadDocument> => {
        const writeAll = async <Field extends SketchedField>(values: Values<Field>): Promise<Field[]> => {
          for (const [field, sketched] of values.sketched()) await write(field, sketched)
          return values.missing()
        }
        // One after the other, so that the first are let go before the second are held.
        const ofVisits = async () => {
          const { values, ...rest } = await sketchVisits(db, asked, options)
          return { ...rest, missing: await writeAll(values) }
        }
        const ofEvents = async () => {
          const { values, ...rest } = await sketchEvents(db, asked, options)
          return { rest, missing: await writeAll(values) }
        }
        const { total, visits, ...visited } = await ofVisits()
        const events = await ofEvents()
        return {
          _id,
          ...shared,
          dim: ALL,
          values: [''],
          sketches: [new Binary(packSketch(total))],
          to: new Date(to),
          revision: revision.visits,
          visits,
          events: { revision: revision.events, ...events.rest },
          missing: [...visited.missing, ...events.missing],
          builtAt: new Date(builtAt),
        }
      },
      session,
    )
  })
}

type Asked = Span & { site: string; seed: Seed }
type Options = Parameters<typeof visitsIn>[2]

async function sketchVisits(db: Db, asked: Asked, options: Options) {
  const total: Sketch = emptySketch(14)
  const values = startValues(VISIT_FIELDS)
  let visits = 0
  for await (const { hash, session } of visitsIn(db, { ...asked, told: VISIT_FIELDS }, options)) {
    visits++
    addHash(total, hash)
    for (const field of VISIT_FIELDS) values.add(field, textOf(session, field), hash)
  }
  return { total, visits, values }
}

async function sketchEvents(db: Db, asked: Asked, options: Options) {
  const values = startValues(EVENT_FIELDS)
  const [all, views] = [emptySketch(14), emptySketch(14)]
  let counted = 0
  for await (const { hash, event } of eventsIn(db, { ...asked, told: EVENT_FIELDS }, options)) {
    counted++
    addHash(all, hash)
    if (event.meta.name === 'pageview') addHash(views, hash)
    for (const field of EVENT_FIELDS) for (const value of textsOf(event, field)) values.add(field, value, hash)
  }
  return { values, counted, all: new Binary(packSketch(all)), views: new Binary(packSketch(views)) }
}
