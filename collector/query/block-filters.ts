/** Filters on blocks: each text of a column is tried once, and then sessions and events by the codes of theirs. */
import { type Block, type ColumnName, columnOf, NOTHING } from '../columns/index.ts'
import { getOrAdd } from '../get-or-add.ts'
import { NONE } from '../rollup/index.ts'
import { newFits, type Test, wideOf } from './block-chunks.ts'
import { countryName } from './countries.ts'
import { type Filter, type Leaf, leavesOf } from './filter.ts'
import { EVENT_FIELDS, isVisitDimension, VISIT_FIELDS } from './names.ts'

/** The column that tells an attribute. */
export function columnFor(attribute: Leaf['attribute']): ColumnName {
  if (isVisitDimension(attribute)) return `session.${VISIT_FIELDS[attribute]}`
  if (!Object.hasOwn(EVENT_FIELDS, attribute)) return `event.props.${attribute.slice('event:props:'.length)}`
  return `event.${EVENT_FIELDS[attribute as keyof typeof EVENT_FIELDS].replace('meta.', '')}`
}

/** All that a filter reads, also of what was done. */
export function columnsFor(filter: Filter): ColumnName[] {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.of.flatMap(columnsFor)
  if (filter.kind === 'not' || filter.kind === 'done') return columnsFor(filter.of)
  return [columnFor(filter.attribute)]
}

/** What a text of the column is in the answer. */
export const shownAs = (attribute: string, text: string): string =>
  attribute === 'visit:country_name' ? countryName(text) : text

/** Whether texts fit leaves, for one question. */
export interface Fitting {
  /** 1 for each text that fits. */
  of(leaf: Leaf, texts: readonly string[]): Promise<Uint8Array>
}

/** What JavaScript compares as mongod does; of the rest it is asked, so that patterns and cases mean there and here the same. */
const isPlain = ({ kind, exactCase }: Leaf): boolean => exactCase && (kind === 'is' || kind === 'contains')

/** Gives those of the values that fit, as MongoDB compares. @throws what it says of a pattern */
export type FitsInDatabase = (leaf: Leaf, values: string[]) => Promise<ReadonlySet<string>>

export function createFitting(ask: FitsInDatabase): Fitting {
  const known = new Map<Leaf, Map<string, boolean>>()
  return {
    async of(leaf, texts) {
      const { kind, values, attribute } = leaf
      const fits = new Uint8Array(texts.length)
      const shown = attribute === 'visit:country_name' ? texts.map(text => shownAs(attribute, text)) : texts
      if (isPlain(leaf)) {
        const wanted = new Set(values)
        for (const [i, text] of shown.entries())
          if (kind === 'is' ? wanted.has(text) : values.some(value => text.includes(value))) fits[i] = 1
        return fits
      }
      const isFirst = !known.has(leaf)
      const held = getOrAdd(known, leaf, () => new Map<string, boolean>())
      const unknown = [...new Set(shown.filter(text => !held.has(text)))]
      // Once also where there are none: what is wrong with a pattern is said.
      if (unknown.length > 0 || isFirst) {
        const fitting = await ask(leaf, unknown)
        for (const text of unknown) held.set(text, fitting.has(text))
      }
      for (const [i, text] of shown.entries()) if (held.get(text)) fits[i] = 1
      return fits
    },
  }
}

/** Sessions of a block in which something was done, by the question. */
export type DoneIn = ReadonlyMap<Filter, Uint8Array>

interface Parts {
  block: Block
  fitting: Fitting
  done: DoneIn
  /** all goals that events are parted by; absent where they are not */
  goals?: readonly string[] | undefined
}

/** All of these as a test of the sessions and events of a block; `undefined` where there are none. */
export async function testOf(filters: readonly Filter[], parts: Parts): Promise<Test | undefined> {
  const tests = await Promise.all(filters.map(filter => one(filter, parts)))
  return tests.reduce(both, undefined)
}

/** Whether both of two hold; one that is absent does. */
export function both(one: Test | undefined, other: Test | undefined): Test | undefined {
  if (!one || !other) return one ?? other
  const more = newFits()
  return (chunk, fits) => {
    one(chunk, fits)
    other(chunk, more)
    for (let i = 0; i < chunk.length; i++) fits[i] = (fits[i] as number) & (more[i] as number)
  }
}

async function one(filter: Filter, parts: Parts): Promise<Test> {
  switch (filter.kind) {
    case 'and':
      return (await testOf(filter.of, parts)) ?? ((_, fits) => fits.fill(1))
    case 'or': {
      // One holds where not all of the others are wrong.
      const wrong = await testOf(
        filter.of.map(of => ({ kind: 'not', of })),
        parts,
      )
      return wrong ? negated(wrong) : (_, fits) => fits.fill(0)
    }
    case 'not':
      return negated(await one(filter.of, parts))
    case 'done': {
      const done = parts.done.get(filter)
      return (chunk, fits) => {
        for (let i = 0; i < chunk.length; i++) fits[i] = done?.[chunk.sessions[i] as number] ?? 0
      }
    }
    default:
      return await leafTest(filter, parts)
  }
}

const negated =
  (test: Test): Test =>
  (chunk, fits) => {
    test(chunk, fits)
    for (let i = 0; i < chunk.length; i++) fits[i] = 1 - (fits[i] as number)
  }

/** 1 for each code of its column that fits. */
export async function fittingCodes(
  leaf: Leaf,
  { block, fitting }: Pick<Parts, 'block' | 'fitting'>,
): Promise<Uint8Array> {
  const { texts } = columnOf(block, columnFor(leaf.attribute))
  return leaf.attribute === 'event:goal' ? await anyGoal(leaf, texts, fitting) : await fitting.of(leaf, texts)
}

async function leafTest(leaf: Leaf, { block, fitting, goals }: Parts): Promise<Test> {
  const { attribute } = leaf
  if (attribute === 'event:goal' && goals) {
    const fitsGoal = await fitting.of(leaf, goals)
    return (chunk, fits) => {
      for (let i = 0; i < chunk.length; i++) fits[i] = fitsGoal[chunk.goals[i] as number] as number
    }
  }
  const name = columnFor(attribute)
  const fitsCode = await fittingCodes(leaf, { block, fitting })
  if (!isVisitDimension(attribute)) {
    return (chunk, fits) => {
      const codes = wideOf(block, name)
      for (let i = 0; i < chunk.length; i++) fits[i] = fitsCode[codes[chunk.events[i] as number] as number] as number
    }
  }
  // Of what has no session.
  const [none = 0] = await fitting.of(leaf, [NONE])
  return (chunk, fits) => {
    const codes = wideOf(block, name)
    for (let i = 0; i < chunk.length; i++) {
      const session = chunk.sessions[i] as number
      fits[i] = session === NOTHING ? none : (fitsCode[codes[session] as number] as number)
    }
  }
}

/** Whether one goal of each list fits. */
async function anyGoal(leaf: Leaf, lists: readonly string[], fitting: Fitting): Promise<Uint8Array> {
  const goals = lists.map(goalsOf)
  const names = [...new Set(goals.flat())]
  const fits = await fitting.of(leaf, names)
  const fitsName = new Map(names.map((name, i) => [name, fits[i] === 1]))
  return Uint8Array.from(goals, list => (list.some(name => fitsName.get(name)) ? 1 : 0))
}

/** Of one code of the column of goals. */
export const goalsOf = (list: string): string[] => JSON.parse(list) as string[]

/** Whether it asks of sessions alone. */
export const isOfSession = (filter: Filter): boolean =>
  leavesOf(filter).every(({ attribute }) => isVisitDimension(attribute))
