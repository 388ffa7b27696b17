/** Whether sketches say who is there, wherever their revisions say that they do: made again, hash by hash. */
import type { ClientSession, Db } from 'mongodb'
import {
  eventsIn,
  isOfEvents,
  isTotal,
  readSpans,
  readTotals,
  readValues,
  type Sketch,
  type SketchedSpan,
  type Told,
  textOf,
  textsOf,
  visitsIn,
} from '../../collector/sketch/index.ts'
import { addHash, emptySketch, packSketch, unpackSketch } from '../../collector/sketch/sketch.ts'

const DAY_MS = 86_400_000
const TOLD: Told[] = ['visits', 'source', 'exit', 'events', 'views', 'name', 'page', 'goal']

/** Days of which each hash was looked at. */
export type Held = Map<Told, { from: number; to: number }[]>

/**
 * @param told what is looked at; of events only where no page is open: they are there before they are revised
 * @returns what is wrong, and the days that held
 */
export async function compareSketched(
  db: Db,
  site: string,
  session: ClientSession,
  told: readonly Told[] = TOLD,
): Promise<{ faults: string[]; held: Held }> {
  const faults: string[] = []
  const held: Held = new Map(told.map(one => [one, []]))
  const now = Date.now()
  for (const one of told) {
    const asked = { site, from: now - 10 * DAY_MS, to: now + 2 * DAY_MS, told: one, fits: () => true }
    const { spans, seed } = await readSpans(db, asked, { session })
    for (const day of spans) {
      if (!seed || day.pending > 0) continue
      held.get(one)?.push(day)
      const expected = new Map<string, Sketch>()
      const take = (value: string, hash: number): void => {
        const sketch = expected.get(value) ?? emptySketch(isTotal(one) ? 14 : 12)
        expected.set(value, sketch)
        addHash(sketch, hash)
      }
      const span = { site, from: day.from, to: day.to, seed }
      if (isOfEvents(one)) {
        for await (const { hash, event } of eventsIn(db, { ...span, told: [one] }, { session }))
          for (const value of textsOf(event, one)) take(value, hash)
      } else {
        for await (const { hash, session: visit } of visitsIn(db, { ...span, told: [one] }, { session }))
          take(textOf(visit, one), hash)
      }
      const actual = await sketchesOf(db, site, one, day, session)
      for (const value of new Set([...expected.keys(), ...actual.keys()])) {
        if (textOfSketch(expected.get(value)) !== textOfSketch(actual.get(value)))
          faults.push(
            `sketch of ${site}, ${new Date(day.from).toISOString()}, ${one} “${value}” holds others than there are`,
          )
      }
    }
  }
  return { faults, held }
}

async function sketchesOf(db: Db, site: string, told: Told, day: SketchedSpan, session: ClientSession) {
  const actual = new Map<string, Sketch>()
  if (isTotal(told)) {
    for await (const { packed } of readTotals(db, { site, told, spans: [day] }, { session })) {
      const total = unpackSketch(packed)
      if (textOfSketch(total) !== textOfSketch(undefined)) actual.set('', total)
    }
    return actual
  }
  for await (const { value, packed } of readValues(db, { site, field: told, spans: [day] }, { session }))
    actual.set(value, unpackSketch(packed))
  return actual
}

/** The same of the same hashes, in whatever order they came. */
function textOfSketch(sketch: Sketch | undefined): string {
  if (!sketch || sketch.few) return [...(sketch?.few ?? [])].sort().join()
  return packSketch(sketch).toString('base64')
}
