/** `/api/v2/goals?site=`: what counts as a conversion, and how far the columns of earlier days have it. */
import type { Db } from 'mongodb'
import { type Progress, readProgress } from './columns/index.ts'
import type { SiteList } from './site-lists-api.ts'
import { addGoal, type Goal, GoalError, listGoals, removeGoal, type Site } from './sites/index.ts'

const CODES = {
  invalid: 'goal-invalid',
  exists: 'goal-exists',
  'too-many': 'too-many-goals',
  unknown: 'goal-unknown',
} as const satisfies Record<GoalError['why'], string>

/** @param now ms @throws GoalError when there is no such site */
export async function listBackfilled(
  db: Db,
  { key, timezone }: Pick<Site, 'key' | 'timezone'>,
  now: number,
): Promise<(Goal & { backfill: Progress })[]> {
  const goals = await listGoals(db, key)
  const progress = await readProgress(db, { site: key, zone: timezone, goals }, now)
  return goals.map((goal, i) => ({ ...goal, backfill: progress[i] ?? { days: 0, done: 0 } }))
}

export const GOALS: SiteList = {
  field: 'goals',
  noun: 'goal',
  list: listBackfilled,
  add: addGoal,
  remove: removeGoal,
  codeOf: error => (error instanceof GoalError ? CODES[error.why] : undefined),
}
