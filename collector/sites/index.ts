/** The sites of a deployment: what is tracked, under which consent, in which time zone. */

export { dayOf, readTime, startOfDay, type ZoneDay } from '../zone.ts'
export { type Backfill, backfillOf, type Carrying, carriedFrom, markOf, marksOf, uncarried } from './backfill.ts'
export { decimalsOf } from './decimals.ts'
export {
  addGoal,
  type Condition,
  type Goal,
  GoalError,
  GoalInput,
  GoalOutput,
  goalText,
  listGoals,
  MOST_GOALS,
  readGoal,
  removeGoal,
} from './goals.ts'
export * from './keys.ts'
export { eventOf, matchersOf, NUMBER_TEXT, partsOfPage, worthOf } from './matching.ts'
export { AMOUNT, isCurrency, MOST_MONEY, type Money, moneyText, toMajor, toMinor } from './money.ts'
export {
  addProperty,
  listProperties,
  MOST_PROPERTIES,
  type Property,
  PropertyError,
  PropertyInput,
  PropertyOutput,
  removeProperty,
} from './properties.ts'
export * from './sites.ts'
