/** What there is to look at. */
import type { Db } from 'mongodb'
import type { Report } from './kinds.ts'

/** Every site that anything is kept of, also the doctor's and those that nobody made. */
export async function sitesOf(db: Db): Promise<string[]> {
  const keys = await Promise.all([
    db.collection<{ _id: string }>('sites').distinct('_id'),
    db.collection('events').distinct('meta.site'),
    db.collection('rollups').distinct('site'),
    db.collection('sessions').distinct('site'),
    db.collection('parked').distinct('site'),
    sitesClaimed(db),
  ])
  return [...new Set(keys.flat())].sort()
}

/** The time zone of each site that somebody made. */
export async function zonesOf(db: Db): Promise<Map<string, string>> {
  const sites = await db.collection<{ _id: string; timezone: string }>('sites').find().toArray()
  return new Map(sites.map(({ _id, timezone }) => [_id, timezone]))
}

/** From claim to claim of the next site: `;` comes after `:`. */
async function sitesClaimed(db: Db): Promise<string[]> {
  const seen = db.collection<{ _id: string }>('seen')
  const sites: string[] = []
  for (let last = ''; ; ) {
    const [next] = await seen
      .find({ _id: { $gt: last } }, { projection: { _id: 1 } })
      .sort({ _id: 1 })
      .limit(1)
      .toArray()
    if (!next) return sites
    const [site = ''] = next._id.split(':')
    sites.push(site)
    last = `${site};`
  }
}

/** How many documents of a site there are. */
export async function countSite(
  db: Db,
  site: string,
): Promise<Pick<Report['checked'], 'events' | 'sessions' | 'seen'>> {
  const [events, sessions, seen] = await Promise.all([
    db.collection('events').countDocuments({ 'meta.site': site }),
    db.collection('sessions').countDocuments({ site }),
    db.collection<{ _id: string }>('seen').countDocuments({ _id: { $gte: `${site}:`, $lt: `${site};` } }),
  ])
  return { events, sessions, seen }
}
