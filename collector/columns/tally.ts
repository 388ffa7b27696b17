/**
 * Tallies: events of a session that have the same page, host or name, added up. A session has several events of few of these,
 * so that what asks no more of events looks at a fifth to a half of what there is. Without bots, as reports count; what asks
 * for bots, for a part of a day, or for more than one of these at once reads events.
 */
import type { Block, Column, ColumnName } from './block.ts'
import { Growing, type Numbers, narrowed } from './numbers.ts'

/** Fields of events by which they are added up. */
export const TALLIES = ['path', 'host', 'name'] as const
export type TallyField = (typeof TALLIES)[number]

/** How far it is looked back for the same: a session of thousands of pages has some twice. */
const NEAR = 16

/**
 * In the order of sessions: `first` as `session.events`, `code`, `who` and `visit` as `event.<field>`, `event.who` and
 * `event.visit`, `count` and `views`, how many events and page views. What has no session is not added up.
 */
const PARTS = ['first', 'code', 'who', 'visit', 'count', 'views'] as const
type Part = (typeof PARTS)[number]
const nameOf = (field: TallyField, part: Part): ColumnName => `tally.${field}.${part}`

export const tallyColumns = (field: TallyField): ColumnName[] => PARTS.map(part => nameOf(field, part))

/** Whether it is only in blocks with visits that are apart. */
export const isOfApart = (name: ColumnName): boolean =>
  name === 'event.visit' || TALLIES.some(field => name === nameOf(field, 'visit'))

/** @param columns of a block's events and sessions */
export function* talliesOf(columns: Block['columns'], sessions: number): Generator<[ColumnName, Column]> {
  const of = (name: ColumnName): Column => columns.get(name) as Column
  const [bot, name] = [of('event.bot'), of('event.name')]
  const [human, view] = [bot.texts.indexOf('(none)'), name.texts.indexOf('pageview')]
  const [starts, who] = [of('session.events').numbers, of('event.who').numbers]
  const visit: Numbers | undefined = columns.get('event.visit')?.numbers
  for (const field of TALLIES) {
    const { numbers, texts } = of(`event.${field}`)
    const made = Object.fromEntries(PARTS.map(part => [part, new Growing()])) as Record<Part, Growing>
    const isSame = (place: number, code: number, event: number): boolean =>
      made.code.get(place) === code &&
      made.who.get(place) === who[event] &&
      (!visit || made.visit.get(place) === visit[event])
    /** by code of all events, 1 more than that of those that are counted */
    const known = new Uint32Array(texts.length)
    const shown: string[] = []
    for (let session = 0; session <= sessions; session++) {
      const first = made.code.length
      made.first.push(first)
      const end = session < sessions ? (starts[session + 1] as number) : numbers.length
      for (let event = starts[session] as number; event < end; event++) {
        if (bot.numbers[event] !== human) continue
        const given = numbers[event] as number
        const code = (known[given] || shown.push(texts[given] as string)) - 1
        known[given] = code + 1
        const views = name.numbers[event] === view ? 1 : 0
        const { length } = made.code
        let place = length - 1
        const least = session < sessions ? Math.max(first, length - NEAR) : length
        while (place >= least && !isSame(place, code, event)) place--
        if (place >= least) {
          made.count.set(place, made.count.get(place) + 1)
          made.views.set(place, made.views.get(place) + views)
          continue
        }
        made.code.push(code)
        made.who.push(who[event] as number)
        if (visit) made.visit.push(visit[event] as number)
        made.count.push(1)
        made.views.push(views)
      }
    }
    for (const part of PARTS) {
      const column = { numbers: narrowed(made[part].all()), texts: part === 'code' ? shown : [] }
      if (part !== 'visit' || visit) yield [nameOf(field, part), column]
    }
  }
}

/** The same block with what was added up in the place of its events, and `event.count` and `event.views`. */
export function tallied(block: Block, field: TallyField): Block {
  const columns = new Map(block.columns)
  for (const part of PARTS) {
    const column = block.columns.get(nameOf(field, part))
    if (column) columns.set(part === 'first' ? 'session.events' : `event.${part === 'code' ? field : part}`, column)
  }
  const events = columns.get(`event.${field}`)?.numbers.length ?? 0
  return { ...block, events, columns }
}
