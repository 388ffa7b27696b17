/**
 * How far a reader of the feed is: of each lane the last page that it was given whole, and of one lane perhaps how many
 * events of the page after it. As text: `shop:0.1234_1.88_2.5.3`, of the site `shop`, three events of page 6 of lane 2.
 */

/** Of one lane. */
export interface Reached {
  /** settle number of the last page that was read whole */
  settled: number
  /** events of the site in the page after it, as they lie in it, that were read or passed over */
  part: number
}
/** By lane. A lane that is in none is younger than the cursor: it is read from its begin. */
export type FeedCursor = Map<number, Reached>

/** Lanes are as many as collectors ever ran at the same time. */
const MOST_LANES = 1_000
const LANE = /^(\d{1,6})\.(\d{1,15})(?:\.(\d{1,6}))?$/

export const feedCursor = (site: string, cursor: FeedCursor): string =>
  `${site}:${[...cursor].map(([lane, { settled, part }]) => [lane, settled, ...(part ? [part] : [])].join('.')).join('_')}`

/** @returns `undefined` where it is none of the site's */
export function fromFeedCursor(site: string, text: string): FeedCursor | undefined {
  if (!text.startsWith(`${site}:`)) return undefined
  const cursor: FeedCursor = new Map()
  const lanes = text.slice(site.length + 1)
  for (const one of lanes === '' ? [] : lanes.split('_', MOST_LANES + 1)) {
    const [, lane, settled, part = '0'] = LANE.exec(one) ?? []
    if (lane === undefined || settled === undefined || cursor.has(Number(lane))) return undefined
    cursor.set(Number(lane), { settled: Number(settled), part: Number(part) })
  }
  return cursor.size > MOST_LANES ? undefined : cursor
}
