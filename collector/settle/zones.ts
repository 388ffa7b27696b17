/**
 * In which time zone the hours of a batch lie. All of a page is counted in one: what a session had added before is taken
 * away where it now lies, so that sums stay right though its zone was changed. Hours counted in the zone of before stay
 * where they are until `livetag verify --repair` counts them anew. Only zones a part of an hour apart differ in their hours.
 */
import type { Db } from 'mongodb'
import type { JournalPage } from '../journal/index.ts'

/** The zone of a site, where it is known. */
export type ZoneOf = (site: string) => string | undefined

/** Of the sites in these pages; what is not known is asked for, as another collector may have taken events of a new site. */
export async function readZones(db: Db, pages: JournalPage[], zoneOf: ZoneOf = () => undefined) {
  const zones = new Map<string, string>()
  const unknown = new Set<string>()
  let last: string | undefined
  for (const { events } of pages) {
    for (const { site } of events) {
      if (site === last) continue
      last = site
      const zone = zones.get(site) ?? zoneOf(site)
      if (zone === undefined) unknown.add(site)
      else zones.set(site, zone)
    }
  }
  if (unknown.size === 0) return zones
  const found = db
    .collection<{ _id: string; timezone: string }>('sites')
    .find({ _id: { $in: [...unknown] } }, { projection: { timezone: 1 }, readConcern: { level: 'majority' } })
  for await (const { _id, timezone } of found) zones.set(_id, timezone)
  return zones
}
