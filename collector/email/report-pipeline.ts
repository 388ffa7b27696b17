/** The aggregation behind a mailing's report. */
import type { Document } from 'mongodb'
import type { Class } from './classify.ts'
import { EMAIL_EVENTS } from './count.ts'
import type { Mailing } from './mailings.ts'
import { BURST } from './recent.ts'

export interface Facets {
  counts: { _id: { name: string; class: Class }; events: number; people: number }[]
  /** one: how many have surely read it, at most, opened it surely, followed a link */
  people: { least: number; most: number; opened: number; clicked: number }[]
  links: { _id: { link: number; class: Class }; n: number }[]
  clickers: { _id: number; people: number }[]
  times: { _id: { name: string; class: Class; at: Date }; n: number }[]
}

const DAY = 86_400_000
const SECONDS = BURST.ms / 1000
/** Opens of these are a person's, as far as can be told; of the others, but scanners, they may be. */
const SURE: Class[] = ['human', 'image-proxy']
const UNSURE: Class[] = ['privacy-proxy', 'prefetch']
const { open, click } = EMAIL_EVENTS

/** The first clicks of a burst were taken for a person's: what came just after shows that they were not. */
const WITHOUT_BURSTS: Document[] = [
  {
    $setWindowFields: {
      partitionBy: '$who',
      sortBy: { ts: 1 },
      output: { near: { $addToSet: '$link', window: { range: [-SECONDS, SECONDS], unit: 'second' } } },
    },
  },
  {
    $set: {
      class: {
        $cond: [
          { $and: [{ $eq: ['$class', 'human'] }, { $gte: [{ $size: '$near' }, BURST.links] }] },
          'scanner',
          '$class',
        ],
      },
    },
  },
]

export function reportPipeline({ id, site, created }: Mailing, timezone: string, unit: 'hour' | 'day'): Document[] {
  const read = (name: string): Document[] => [
    {
      $match: {
        'meta.site': site,
        'meta.name': name,
        // Clocks differ, but not by this much.
        ts: { $gte: new Date(+created - DAY) },
        'props.mailing': id,
      },
    },
    {
      $project: {
        _id: 0,
        ts: 1,
        name: '$meta.name',
        who: '$props.recipient',
        class: '$props.class',
        link: '$props.link',
      },
    },
  ]
  return [
    ...read(open),
    // Apart: of the many opens none is looked at for bursts, which takes as long again as reading them.
    { $unionWith: { coll: 'events', pipeline: [...read(click), ...WITHOUT_BURSTS] } },
    {
      $facet: {
        counts: [
          { $group: { _id: { name: '$name', class: '$class', who: '$who' }, events: { $sum: 1 } } },
          {
            $group: {
              _id: { name: '$_id.name', class: '$_id.class' },
              events: { $sum: '$events' },
              people: { $sum: 1 },
            },
          },
        ],
        people: [
          {
            $group: {
              _id: '$who',
              opened: { $max: both(open, SURE) },
              maybe: { $max: both(open, UNSURE) },
              clicked: { $max: both(click, ['human']) },
            },
          },
          {
            $group: {
              _id: null,
              opened: { $sum: '$opened' },
              clicked: { $sum: '$clicked' },
              least: { $sum: { $max: ['$opened', '$clicked'] } },
              most: { $sum: { $max: ['$opened', '$clicked', '$maybe'] } },
            },
          },
        ],
        links: [{ $match: { name: click } }, { $group: { _id: { link: '$link', class: '$class' }, n: { $sum: 1 } } }],
        clickers: [
          { $match: { name: click, class: 'human' } },
          { $group: { _id: { link: '$link', who: '$who' } } },
          { $group: { _id: '$_id.link', people: { $sum: 1 } } },
        ],
        times: [
          {
            $group: {
              _id: { name: '$name', class: '$class', at: { $dateTrunc: { date: '$ts', unit, timezone } } },
              n: { $sum: 1 },
            },
          },
        ],
      },
    },
  ]
}

const both = (name: string, classes: Class[]) => ({
  $cond: [{ $and: [{ $eq: ['$name', name] }, { $in: ['$class', classes] }] }, 1, 0],
})
