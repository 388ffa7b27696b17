/** A mailing's report, as the API answers it. */
import Type, { type Static, type TSchema } from 'typebox'
import type { Class } from './classify.ts'
import { type Mailing, MailingOutput } from './mailings.ts'

export type { Class, MailingOutput }

/** So many of each class. */
const byClass = <T extends TSchema>(of: T) =>
  Type.Object({
    human: of,
    'privacy-proxy': of,
    'image-proxy': of,
    prefetch: of,
    scanner: of,
  } satisfies Record<Class, T>)
const Count = Type.Integer({ minimum: 0 })
const Told = Type.Union([Count, Type.Null()])
const Counted = byClass(
  Type.Object({ events: Count, people: Type.Integer({ description: 'different recipients', minimum: 0 }) }),
)
const Events = byClass(Count)
const Share = Type.Number({ minimum: 0 })

export const ReportOutput = Type.Object({
  mailing: MailingOutput,
  /** as the sender told it, or else for how many it was minted */
  sent: Count,
  delivered: Told,
  bounced: Told,
  unsubscribed: Told,
  withdrawn: Count,
  opens: Counted,
  /** people who have read it: surely, and at most of those that can be seen; `why` says what makes the difference */
  readers: Type.Object({ least: Count, most: Count, why: Type.Array(Type.String()) }),
  clicks: Counted,
  /** people who followed a link, and their share of the readers: the least and the most that it can be; null without any */
  clickers: Count,
  clickToOpen: Type.Union([Type.Object({ least: Share, most: Share }), Type.Null()]),
  /** of each link, in their order; `people` are of the class human */
  links: Type.Array(Type.Object({ link: Count, url: Type.String(), clicks: Events, people: Count })),
  /** `hour` for a week from its making on, then `day` of the site's zone; `at` is their UTC begin */
  grain: Type.Enum(['hour', 'day']),
  overTime: Type.Array(Type.Object({ at: Type.String({ format: 'date-time' }), opens: Events, clicks: Events })),
  /** opens and clicks that came while nothing could be written: in none of the other figures */
  uncounted: Type.Object({ opens: Count, clicks: Count }),
})

type Answer = Static<typeof ReportOutput>
export type Report = Omit<Answer, 'mailing'> & { mailing: Mailing }
export type ByClass = Answer['opens']
export type EventsByClass = Answer['overTime'][number]['opens']
