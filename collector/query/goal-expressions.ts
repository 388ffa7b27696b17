/**
 * Goals of stored events, with those that were made after they came, as expressions of MongoDB: the same as `sites/backfill.ts`
 * and `sites/matching.ts` say in JavaScript.
 */
import type { Document } from 'mongodb'
import {
  AMOUNT,
  type Condition,
  carriedFrom,
  decimalsOf,
  eventOf,
  type Goal,
  MOST_MONEY,
  NUMBER_TEXT,
  partsOfPage,
} from '../sites/index.ts'
import type { Expression } from './filter.ts'

const literal = ($literal: unknown): Document => ({ $literal })
const propertyOf = (name: string): Expression => ({ $getField: { field: literal(name), input: '$props' } })
/** Of PCRE, whose `$` also stands before a last line's end. */
const wholly = (pattern: string): string => `\\A${pattern.replace(/^\^|\$$/g, '')}\\z`

/** The names of all goals that an event meets, none twice. */
export function goalsOfEvent(goals: readonly Goal[]): Expression {
  if (goals.length === 0) return CARRIED
  const $concatArrays = goals.map(goal => ({ $cond: [meets(goal), [literal(goal.name)], []] }))
  return { $setUnion: [CARRIED, { $concatArrays }] }
}
const CARRIED: Expression = { $ifNull: ['$goals', []] }

/** Stages after which `goals`, `revenue` and `currency` of an event are those of all goals that it meets. */
export function goalStages(goals: readonly Goal[]): Document[] {
  if (goals.length === 0) return []
  const $set = { goals: goalsOfEvent(goals) }
  const branches = goals.flatMap(goal => {
    const revenue = amountOf(goal)
    if (revenue === undefined) return []
    const worth = { revenue, currency: literal(goal.value?.currency) }
    // biome-ignore lint/suspicious/noThenProperty: of $switch
    return [{ case: { $and: [meets(goal), { $ne: [revenue, null] }] }, then: worth }]
  })
  if (branches.length === 0) return [{ $set }]
  const own = { revenue: '$revenue', currency: '$currency' }
  const worth = { $cond: [{ $gt: ['$currency', null] }, own, { $switch: { branches, default: null } }] }
  return [{ $set: { ...$set, worth } }, { $set: { revenue: '$worth.revenue', currency: '$worth.currency' } }]
}

/** Whether an event from before all events carry a goal fits it. */
function meets(goal: Goal): Expression {
  return {
    $and: [
      { $eq: ['$meta.name', literal(eventOf(goal))] },
      { $lt: ['$ts', new Date(carriedFrom(goal))] },
      ...(goal.page === undefined ? [] : [fitsPage(goal.page)]),
      ...(goal.where ?? []).map(holds),
    ],
  }
}

/** Part by part, each at its first place behind the one before. In bytes: of UTF-8 no character begins within another one. */
function fitsPage(pattern: string): Expression {
  const { first, between, last } = partsOfPage(pattern)
  if (last === undefined) return { $eq: ['$path', literal(first)] }
  const size = Buffer.byteLength(first)
  const begins = { $eq: [{ $indexOfBytes: ['$$path', literal(first), 0, size] }, 0] }
  const place = { $indexOfBytes: ['$$path', '$$this', '$$value'] }
  const behind = { $cond: [{ $lt: ['$$place', 0] }, -1, { $add: ['$$place', { $strLenBytes: '$$this' }] }] }
  const next = { $let: { vars: { place }, in: behind } }
  const at: Expression =
    between.length === 0
      ? size
      : {
          $reduce: {
            input: literal(between),
            initialValue: size,
            in: { $cond: [{ $lt: ['$$value', 0] }, -1, next] },
          },
        }
  const left = { $subtract: [{ $strLenBytes: '$$path' }, Buffer.byteLength(last)] }
  const ends = { $eq: [{ $indexOfBytes: ['$$path', literal(last), '$$left'] }, '$$left'] }
  const fits = { $and: [{ $gte: ['$$at', 0] }, { $gte: ['$$left', '$$at'] }, ...(last === '' ? [] : [ends])] }
  return {
    $let: {
      vars: { path: { $ifNull: ['$path', ''] } },
      in: { $and: [begins, { $let: { vars: { at, left }, in: fits } }] },
    },
  }
}

function holds(condition: Condition): Expression {
  const value = propertyOf(condition.property)
  if ('present' in condition) return { $gt: [value, null] }
  if ('is' in condition) return { $in: [value, literal(condition.is.flatMap(valuesOf))] }
  const { compare, to } = condition
  const operator = { '>': '$gt', '>=': '$gte', '<': '$lt', '<=': '$lte' }[compare]
  const isNumber = { $regexMatch: { input: '$$value', regex: wholly(NUMBER_TEXT) } }
  // No number is null, and null is less than any.
  const number = {
    $switch: {
      branches: [
        // biome-ignore lint/suspicious/noThenProperty: of $switch
        { case: { $isNumber: '$$value' }, then: '$$value' },
        {
          case: { $and: [{ $eq: [{ $type: '$$value' }, 'string'] }, isNumber] },
          // biome-ignore lint/suspicious/noThenProperty: of $switch
          then: { $toDouble: '$$value' },
        },
      ],
      default: null,
    },
  }
  return {
    $let: {
      vars: { number: { $let: { vars: { value }, in: number } } },
      in: { $and: [{ $ne: ['$$number', null] }, { [operator]: ['$$number', to] }] },
    },
  }
}

/** What JavaScript writes as this text: itself, and where it is one, the number or the boolean. */
function valuesOf(text: string): (string | number | boolean)[] {
  const number = Number(text)
  return [
    text,
    ...(String(number) === text ? [number] : []),
    ...(text === 'true' || text === 'false' ? [text === 'true'] : []),
  ]
}

/** What an event is worth by a goal, minor units, or null; `undefined` where it has no value. */
function amountOf({ value }: Goal): Expression | undefined {
  if (!value) return undefined
  if (!('property' in value)) return literal(value.amount)
  const decimals = decimalsOf(value.currency)
  return {
    $let: {
      vars: { value: propertyOf(value.property) },
      in: {
        $switch: {
          branches: [
            // biome-ignore lint/suspicious/noThenProperty: of $switch
            { case: { $isNumber: '$$value' }, then: minorOfNumber(decimals) },
            // biome-ignore lint/suspicious/noThenProperty: of $switch
            { case: { $eq: [{ $type: '$$value' }, 'string'] }, then: minorOfText(decimals) },
          ],
          default: null,
        },
      },
    },
  }
}

/** With the sign of the value; more than may be is none. */
const signed = (minor: Expression, isNegative: Expression): Expression => ({
  $let: {
    vars: { minor },
    in: {
      $cond: [
        { $gt: ['$$minor', MOST_MONEY] },
        null,
        { $cond: [{ $and: [isNegative, { $gt: ['$$minor', 0] }] }, { $multiply: ['$$minor', -1] }, '$$minor'] },
      ],
    },
  },
})

/**
 * `toMinor` of a number, which reads the digits of its shortest text. Half a minor unit has 14 digits at most, so the text is
 * below that half where the number is below the float64 that is nearest to it, and a division of two whole numbers gives that.
 */
function minorOfNumber(decimals: number): Expression {
  const unit = 10 ** decimals
  const half = (more: number): Expression => ({
    $divide: [{ $add: [{ $multiply: ['$$about', 2] }, more] }, 2 * unit],
  })
  const about = { $floor: { $add: [{ $multiply: ['$$size', unit] }, 0.5] } }
  const minor = {
    $let: {
      vars: { about },
      in: {
        $switch: {
          branches: [
            // biome-ignore lint/suspicious/noThenProperty: of $switch
            { case: { $lt: ['$$size', half(-1)] }, then: { $subtract: ['$$about', 1] } },
            // biome-ignore lint/suspicious/noThenProperty: of $switch
            { case: { $gte: ['$$size', half(1)] }, then: { $add: ['$$about', 1] } },
          ],
          default: '$$about',
        },
      },
    },
  }
  // Smaller ones have a text with an exponent.
  const isPlain = { $or: [{ $eq: ['$$size', 0] }, { $and: [{ $gte: ['$$size', 1e-6] }, { $lte: ['$$size', 1e13] }] }] }
  return {
    $let: {
      vars: { size: { $abs: { $toDouble: '$$value' } } },
      in: { $cond: [isPlain, signed(minor, { $lt: ['$$value', 0] }), null] },
    },
  }
}

function minorOfText(decimals: number): Expression {
  const part = (n: number): Expression => ({ $ifNull: [{ $arrayElemAt: ['$$found.captures', n] }, ''] })
  const zeros = '0'.repeat(decimals)
  const digits = { $concat: [part(1), { $substrBytes: [{ $concat: ['$$rest', zeros] }, 0, decimals] }] }
  const more = { $cond: [{ $gte: [{ $substrBytes: ['$$rest', decimals, 1] }, '5'] }, 1, 0] }
  const minor = { $let: { vars: { rest: part(2) }, in: { $add: [{ $toDouble: digits }, more] } } }
  return {
    $let: {
      vars: { found: { $regexFind: { input: '$$value', regex: wholly(AMOUNT.source) } } },
      in: { $cond: [{ $eq: ['$$found', null] }, null, signed(minor, { $eq: [part(0), '-'] })] },
    },
  }
}
