/**
 * Tallies: events of a session that have the same page, host or name, added up. A session has several events of few names, so
 * that lists of pages and of events look at a half to a fifth of what there is, and need not ask each event whose it is.
 * Without bots, as reports count; those that ask for bots, for a part of a day or for visits read events.
 */
import type { Block, Column, ColumnName } from './block.ts'
import { Growing, narrowed } from './numbers.ts'

/** By field of events: which of them are added up. */
export const TALLIES = { path: 'pageviews', host: 'pageviews', name: 'events' } as const
export type TallyField = keyof typeof TALLIES

/** How far it is looked back for the same: a session of thousands of pages has some twice. */
const NEAR = 16

/**
 * Of what was added up, in the order of sessions: `first` as `session.events`, `code`, `who` as `event.who`, and `count`, how
 * many events. What has no session is not added up.
 */
export const tallyColumns = (field: TallyField): ColumnName[] =>
  (['first', 'code', 'who', 'count'] as const).map(part => `tally.${field}.${part}` as const)

/** @param columns of a block's events and sessions */
export function* talliesOf(columns: Block['columns'], sessions: number): Generator<[ColumnName, Column]> {
  const of = (name: ColumnName): Column => columns.get(name) as Column
  const [bot, name] = [of('event.bot'), of('event.name')]
  const [human, view] = [bot.texts.indexOf('(none)'), name.texts.indexOf('pageview')]
  const [starts, who] = [of('session.events').numbers, of('event.who').numbers]
  for (const [field, counted] of Object.entries(TALLIES) as [TallyField, (typeof TALLIES)[TallyField]][]) {
    const { numbers, texts } = of(`event.${field}`)
    const [firsts, codes, whos, counts] = [new Growing(), new Growing(), new Growing(), new Growing()]
    /** by code of all events, 1 more than that of those that are counted */
    const known = new Uint32Array(texts.length)
    const shown: string[] = []
    for (let session = 0; session <= sessions; session++) {
      const first = codes.length
      firsts.push(first)
      const end = session < sessions ? (starts[session + 1] as number) : numbers.length
      for (let event = starts[session] as number; event < end; event++) {
        if (bot.numbers[event] !== human || (counted === 'pageviews' && name.numbers[event] !== view)) continue
        const given = numbers[event] as number
        const code = known[given] || shown.push(texts[given] as string)
        known[given] = code
        const whose = who[event] as number
        let place = codes.length - 1
        const least = session < sessions ? Math.max(first, place - NEAR) : codes.length
        while (place >= least && !(codes.get(place) === code - 1 && whos.get(place) === whose)) place--
        if (place >= least) counts.set(place, counts.get(place) + 1)
        else {
          codes.push(code - 1)
          whos.push(whose)
          counts.push(1)
        }
      }
    }
    yield [`tally.${field}.first`, { numbers: narrowed(firsts.all()), texts: [] }]
    yield [`tally.${field}.code`, { numbers: narrowed(codes.all()), texts: shown }]
    yield [`tally.${field}.who`, { numbers: narrowed(whos.all()), texts: [] }]
    yield [`tally.${field}.count`, { numbers: narrowed(counts.all()), texts: [] }]
  }
}

/** The same block with what was added up in the place of its events, and `event.count`. */
export function tallied(block: Block, field: TallyField): Block {
  const of = (part: string): Column => {
    const column = block.columns.get(`tally.${field}.${part}` as ColumnName)
    if (!column) throw new Error(`the tally of ${field} was not loaded`)
    return column
  }
  const [first, code, who, count] = [of('first'), of('code'), of('who'), of('count')]
  const columns = new Map([
    ...block.columns,
    ['session.events', first] as const,
    [`event.${field}`, code] as const,
    ['event.who', who] as const,
    ['event.count', count] as const,
  ])
  return { ...block, events: code.numbers.length, columns }
}
