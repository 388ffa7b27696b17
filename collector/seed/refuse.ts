/** Where a history is not wanted. */
import type { Db } from 'mongodb'
import type { Session } from '../settle/index.ts'
import type { Site } from '../sites/index.ts'
import { historyOf, type Plan } from './history.ts'
import { SeedError } from './options.ts'

/** @throws SeedError where the site has anything already */
export async function refuseMore(db: Db, { key: site }: Site): Promise<void> {
  const found = await Promise.all([
    db.collection('events').findOne({ 'meta.site': site }, { projection: { _id: 1 } }),
    db.collection('sessions').findOne({ site }, { projection: { _id: 1 } }),
    db.collection('rollups').findOne({ site }, { projection: { _id: 1 } }),
  ])
  if (found.every(one => one === null)) return
  throw new SeedError(
    `the site "${site}" has events already: make another one with \`livetag site add\`, or say --add to put the history beside them`,
  )
}

/** The same history again would double its events: its first session tells. */
export async function refuseRepeat(db: Db, plan: Plan): Promise<void> {
  const [first] = historyOf(plan)
  const _id = first?.sessions[0]?._id
  if (_id === undefined || !(await db.collection<Session>('sessions').findOne({ _id }))) return
  throw new SeedError(`the site "${plan.site.key}" has this very history already: take another --seed`)
}
