/** The lists under the chart. */
import { propertyDim, propertyOf } from './params.ts'

export interface Tab {
  id: string
  dims: readonly string[]
}
export interface PanelShape {
  id: string
  tabs: readonly Tab[]
}

const tab = (id: string, dims: readonly string[] = [id]): Tab => ({ id, dims })
const UTM = ['utm_campaign', 'utm_source', 'utm_medium', 'utm_term', 'utm_content']

export const panelsOf = (properties: readonly string[]): readonly PanelShape[] => [
  { id: 'pages', tabs: [tab('page'), tab('entry'), tab('exit')] },
  { id: 'sources', tabs: [tab('source', ['source', 'referrer']), tab('channel'), tab('utm_campaign', UTM)] },
  { id: 'places', tabs: [tab('country'), tab('region'), tab('city')] },
  { id: 'devices', tabs: [tab('device'), tab('browser'), tab('os')] },
  { id: 'events', tabs: [tab('event'), tab('goal'), tab('properties', properties.map(propertyDim))] },
]

/** Which list of a panel the address shows. */
export function chosenIn(panel: PanelShape, dim: string | undefined): { tab: Tab; dim: string | undefined } {
  const [first] = panel.tabs
  const found = panel.tabs.find(({ id, dims }) => id === dim || dims.includes(dim ?? '')) ?? first
  const tab = found ?? { id: '', dims: [] }
  return { tab, dim: tab.dims.find(one => one === dim) ?? tab.dims[0] }
}

/** What a list shows; the first orders it. */
export function metricsFor(dim: string): readonly string[] {
  if (dim === 'goal') return ['visitors', 'events', 'conversion_rate']
  if (dim === 'event') return ['events', 'visitors', 'percentage']
  return propertyOf(dim) ? ['visitors', 'events', 'percentage'] : ['visitors', 'percentage']
}

/** What the long list shows beside that. */
export function allMetricsFor(dim: string): readonly string[] {
  if (dim === 'goal') return ['visitors', 'events', 'conversion_rate', 'total_revenue', 'average_revenue']
  if (dim === 'event' || propertyOf(dim)) return metricsFor(dim)
  if (dim === 'page' || dim === 'hostname') return ['visitors', 'percentage', 'pageviews']
  return ['visitors', 'percentage', 'visits', 'bounce_rate', 'visit_duration']
}
