/**
 * `dist/tag/vitals.js`: measures what Google's library `web-vitals` measures, as it does, and tells it to the tag.
 * https://github.com/GoogleChrome/web-vitals
 *
 * Values are of a load of the document, or of its return from the back/forward cache, and go with the page view in which
 * they become final. A value that has grown is told again: the last of a name counts.
 */
import { type MetricWithAttribution, onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals/attribution'
import type { Tag } from './types.ts'

/** Selector of the element that is most to blame; a time to the first byte has none. */
const elementOf = (metric: MetricWithAttribution): string | undefined =>
  metric.name === 'LCP'
    ? metric.attribution.target
    : metric.name === 'CLS'
      ? metric.attribution.largestShiftTarget
      : metric.name === 'INP'
        ? metric.attribution.interactionTarget
        : undefined

const tell = (metric: MetricWithAttribution) => {
  const { name, value, rating } = metric
  const { track, flush } = window.livetag as unknown as Pick<Tag, 'track' | 'flush'>
  track('vitals', { name, value, rating, element: elementOf(metric) })
  // Told when the page is hidden, after the tag has sent all that it had.
  if (document.hidden) flush(2)
}

onCLS(tell)
onFCP(tell)
onINP(tell)
onLCP(tell)
onTTFB(tell)
