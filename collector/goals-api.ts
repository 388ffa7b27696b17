/** `/api/v2/goals?site=`: what counts as a conversion. */
import type { SiteList } from './site-lists-api.ts'
import { addGoal, GoalError, listGoals, removeGoal } from './sites/index.ts'

const CODES = {
  invalid: 'goal-invalid',
  exists: 'goal-exists',
  'too-many': 'too-many-goals',
  unknown: 'goal-unknown',
} as const satisfies Record<GoalError['why'], string>

export const GOALS: SiteList = {
  field: 'goals',
  noun: 'goal',
  list: listGoals,
  add: addGoal,
  remove: removeGoal,
  codeOf: error => (error instanceof GoalError ? CODES[error.why] : undefined),
}
