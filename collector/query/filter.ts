/** Filters of a question: from what Plausible's clients send to a tree, and from the tree to an expression of mongod. */
import type { Document } from 'mongodb'
import { type Attribute, type Dimension, isEventDimension, isTimeDimension } from './names.ts'

export type Filter =
  | { kind: 'and'; of: Filter[] }
  | { kind: 'or'; of: Filter[] }
  | { kind: 'not'; of: Filter }
  /** an event of the session fits, wherever it is in the range */
  | { kind: 'done'; of: Filter }
  | Leaf

/** Holds where one of the values fits. */
export interface Leaf {
  kind: 'is' | 'contains' | 'matches' | 'wildcard'
  attribute: Attribute
  values: string[]
  /** where not, upper and lower case are the same */
  exactCase: boolean
}

/** An expression of the aggregation pipeline. */
export type Expression = Document | string | boolean | number

type Raw = readonly [string, unknown, unknown?, { case_sensitive?: boolean }?]

const KINDS: Record<string, Leaf['kind']> = {
  is: 'is',
  contains: 'contains',
  matches: 'matches',
  matches_wildcard: 'wildcard',
}

/** @param raw as the schema let it pass */
export function readFilter(raw: unknown): Filter {
  const [operator, second, third, modifiers] = raw as Raw
  if (operator === 'and' || operator === 'or') return { kind: operator, of: (second as unknown[]).map(readFilter) }
  if (operator === 'not') return { kind: 'not', of: readFilter(second) }
  if (operator === 'has_done') return { kind: 'done', of: readFilter(second) }
  if (operator === 'has_not_done') return { kind: 'not', of: { kind: 'done', of: readFilter(second) } }
  const isNegative = operator.endsWith('_not')
  const leaf: Leaf = {
    kind: KINDS[isNegative ? operator.slice(0, -4) : operator] ?? 'is',
    attribute: second as Attribute,
    values: (third as unknown[]).map(String),
    exactCase: modifiers?.case_sensitive !== false,
  }
  return isNegative ? { kind: 'not', of: leaf } : leaf
}

/** The leaves that are asked of the row itself, without those of {@link Filter} `done`. */
export function leavesOf(filter: Filter): Leaf[] {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.of.flatMap(leavesOf)
  if (filter.kind === 'not') return leavesOf(filter.of)
  return filter.kind === 'done' ? [] : [filter]
}

/** What dimensions, but those of time, and filters ask of the row itself. */
export const attributesOf = ({
  dimensions,
  filters,
}: {
  dimensions: readonly Dimension[]
  filters: readonly Filter[]
}): ReadonlySet<Dimension> =>
  new Set([
    ...dimensions.filter(name => !isTimeDimension(name)),
    ...filters.flatMap(leavesOf).map(({ attribute }) => attribute),
  ])

export const isLeaf = (filter: Filter): filter is Leaf => leavesOf(filter)[0] === filter

export const isEventLeaf = ({ attribute }: Leaf): boolean => isEventDimension(attribute)

/** The parts of a filter that all have to hold. */
export const partsOf = (filter: Filter): Filter[] => (filter.kind === 'and' ? filter.of.flatMap(partsOf) : [filter])

/** All questions of sessions in a filter, each once. */
export function donesOf(filter: Filter): Filter[] {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.of.flatMap(donesOf)
  if (filter.kind === 'not') return donesOf(filter.of)
  return filter.kind === 'done' ? [filter] : []
}

/**
 * As a filter of documents, so that ids of sessions are looked up in a sorted list.
 * @param leaf the condition of a leaf
 * @param done the condition of a question of the session
 */
export function toMatch(filter: Filter, leaf: (leaf: Leaf) => Document, done: (filter: Filter) => Document): Document {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { [`$${filter.kind}`]: filter.of.map(part => toMatch(part, leaf, done)) }
    case 'not':
      return { $nor: [toMatch(filter.of, leaf, done)] }
    case 'done':
      return done(filter)
    default:
      return leaf(filter)
  }
}

/** Whether a text fits a leaf. */
export function leafExpression({ kind, values, exactCase }: Leaf, text: Expression): Expression {
  if (kind === 'is' && exactCase) return { $in: [text, { $literal: values }] }
  if (kind === 'contains' && exactCase)
    return anyOf(values.map(value => ({ $gte: [{ $indexOfBytes: [text, { $literal: value }] }, 0] })))
  const options = exactCase ? {} : { options: 'i' }
  return anyOf(
    values.map(value => ({ $regexMatch: { input: text, regex: { $literal: patternOf(kind, value) }, ...options } })),
  )
}

const anyOf = (expressions: Expression[]): Expression =>
  expressions.length === 1 ? (expressions[0] as Expression) : { $or: expressions }

/** Of PCRE. */
function patternOf(kind: Leaf['kind'], value: string): string {
  if (kind === 'matches') return value
  const literal = value.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
  if (kind === 'contains') return literal
  // `.` is not to stop at a line's end.
  return kind === 'is' ? `\\A${literal}\\z` : `(?s)\\A${literal.replaceAll(/(?:\\\*)+/g, '.*')}\\z`
}
