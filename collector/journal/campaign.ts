/** Which campaign an impression or a click is of: what is shown, and what of it is clicked. */
import { OTHER } from './dimensions.ts'
import type { JournalEvent } from './page.ts'

/** Of a campaign's name, UTF-16 code units, as of `utm_campaign`: a longer one is `(other)`. */
const MOST = 255

export const isImpressionOrClick = (name: string): name is 'impression' | 'click' =>
  name === 'impression' || name === 'click'

/**
 * What the event says itself, by the property `campaign` or `campaign_id`: what is advertised on a page is another campaign
 * than the one that led there. Without it, the page's `utm_campaign`; `undefined` where there is none.
 */
export function campaignOf({ props, campaign }: Pick<JournalEvent, 'props' | 'campaign'>): string | undefined {
  const name = textOf(props, 'campaign') || textOf(props, 'campaign_id') || campaign || undefined
  return name !== undefined && name.length > MOST ? OTHER : name
}

function textOf(props: JournalEvent['props'], name: string): string {
  const value = props && Object.hasOwn(props, name) ? props[name] : undefined
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
