/** What became of a mailing, from the raw record: what people did, what machines did, and what can't be told apart. */
import type { Db } from 'mongodb'
import { CLASSES, type Class } from './classify.ts'
import { EMAIL_EVENTS } from './count.ts'
import type { Mailing } from './mailings.ts'
import { type Facets, reportPipeline } from './report-pipeline.ts'
import type { ByClass, EventsByClass, Report } from './report-shape.ts'

const WEEK = 7 * 86_400_000
const MOST_MS = 30_000

/** @param zone of the site's days, @param now ms */
export async function readReport(db: Db, mailing: Mailing, zone: string, now: number): Promise<Report> {
  const grain = now - +mailing.created <= WEEK ? 'hour' : 'day'
  const [facets] = await db
    .collection('events')
    .aggregate<Facets>(reportPipeline(mailing, zone, grain), { allowDiskUse: true, maxTimeMS: MOST_MS })
    .toArray()
  const { counts = [], people = [], links = [], times = [], clickers = [] } = facets ?? {}
  const [sure = { least: 0, most: 0, opened: 0, clicked: 0 }] = people
  const byClass = (name: string): ByClass =>
    forClasses(kind => {
      const found = counts.find(({ _id }) => _id.name === name && _id.class === kind)
      return { events: found?.events ?? 0, people: found?.people ?? 0 }
    })
  const eventsOf = (rows: readonly { _id: { class: Class }; n: number }[]): EventsByClass =>
    forClasses(kind => rows.find(({ _id }) => _id.class === kind)?.n ?? 0)
  const moments = [...new Set(times.map(({ _id }) => +_id.at))].sort((a, b) => a - b)
  return {
    mailing,
    sent: mailing.sent ?? mailing.minted,
    delivered: mailing.delivered ?? null,
    bounced: mailing.bounced ?? null,
    unsubscribed: mailing.unsubscribed ?? null,
    withdrawn: mailing.withdrawn,
    opens: byClass(EMAIL_EVENTS.open),
    readers: { least: sure.least, most: sure.most, why: reasons(sure) },
    clicks: byClass(EMAIL_EVENTS.click),
    clickers: sure.clicked,
    clickToOpen:
      sure.least === 0 ? null : { least: share(sure.clicked, sure.most), most: share(sure.clicked, sure.least) },
    links: mailing.links.map((url, i) => ({
      link: i + 1,
      url,
      clicks: eventsOf(links.filter(({ _id }) => _id.link === i + 1)),
      people: clickers.find(({ _id }) => _id === i + 1)?.people ?? 0,
    })),
    grain,
    overTime: moments.map(at => {
      const of = (name: string) => eventsOf(times.filter(({ _id }) => +_id.at === at && _id.name === name))
      return { at: new Date(at).toISOString(), opens: of(EMAIL_EVENTS.open), clicks: of(EMAIL_EVENTS.click) }
    }),
    uncounted: mailing.uncounted,
  }
}

const forClasses = <T>(make: (kind: Class) => T) =>
  Object.fromEntries(CLASSES.map(kind => [kind, make(kind)])) as Record<Class, T>
const share = (part: number, whole: number): number => Math.round((part / whole) * 10_000) / 10_000

/** Why the readers are as few or as many, in words for people. */
function reasons({ least, most, opened, clicked }: Facets['people'][number]): string[] {
  return [
    `at least ${least}: ${opened} loaded the image in a mail program or through the proxy of a provider that loads it when the mail is opened, ${clicked} followed a link; some did both`,
    `at most ${most}: of ${most - least} more the image was loaded ahead, as Apple's Mail Privacy Protection does, so nobody can tell whether they read it`,
    'scanners count for nobody, and who reads without images and follows no link is not seen',
  ]
}
