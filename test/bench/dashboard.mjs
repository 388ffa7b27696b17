/** What a dashboard of 30 days asks at once, and the same asked of `events` by aggregation, as one would without rollups. */

const VISITS = ['visitors', 'visits']
const byVisit = (name, field) => ({
  query: { metrics: VISITS, dimensions: [`visit:${name}`] },
  pipeline: match => visitorsBy(match, field),
  compared: ['visitors'],
})
const byEvent = (name, field, metrics, extra = {}) => ({
  query: { metrics, dimensions: [`event:${name}`] },
  pipeline: match => [
    { $match: { ...match, ...extra } },
    { $group: { _id: { d: text(`$${field}`), v: VISITOR }, n: { $sum: 1 } } },
    { $group: { _id: '$_id.d', visitors: { $sum: 1 }, [metrics[1]]: { $sum: '$n' } } },
    ...TOP,
  ],
  compared: metrics,
})
const VIEWS = { 'meta.name': 'pageview' }

/** By name: the question, the pipeline of the same, and which metrics of both are the same. */
export const DASHBOARD = {
  totals: {
    query: {
      metrics: [...VISITS, 'pageviews', 'views_per_visit', 'bounce_rate', 'visit_duration'],
      include: { comparisons: { mode: 'previous_period' } },
    },
    // A day of a cookieless visitor is one visit here: how it is divided no simple pipeline tells.
    pipeline: match => [
      ...sessions(match),
      { $group: { _id: '$visitor', sessions: { $sum: 1 }, pageviews: { $sum: '$views' }, ...OF_SESSIONS } },
      {
        $group: {
          _id: null,
          visitors: { $sum: 1 },
          visits: { $sum: '$sessions' },
          pageviews: { $sum: '$pageviews' },
          bounces: { $sum: '$bounces' },
          duration: { $sum: '$duration' },
        },
      },
    ],
    compared: ['visitors', 'pageviews'],
  },
  days: {
    query: { metrics: ['visitors', 'pageviews'], dimensions: ['time:day'] },
    pipeline: match => [
      { $match: { ...match, ...VIEWS } },
      {
        $group: {
          _id: { d: { $dateToString: { date: '$ts', format: '%Y-%m-%d', timezone: ZONE } }, v: VISITOR },
          n: { $sum: 1 },
        },
      },
      { $group: { _id: '$_id.d', visitors: { $sum: 1 }, pageviews: { $sum: '$n' } } },
      { $sort: { _id: 1 } },
    ],
    // Visitors of a day are those whose visit begins in it.
    compared: ['pageviews'],
  },
  pages: byEvent('page', 'path', ['visitors', 'pageviews'], VIEWS),
  'entry pages': byVisit('entry_page', 'path'),
  'exit pages': {
    ...byVisit('exit_page', 'path'),
    pipeline: match => visitorsBy(match, 'path', '$bottom'),
  },
  sources: byVisit('source', 'source'),
  channels: byVisit('channel', 'channel'),
  campaigns: byVisit('utm_campaign', 'campaign'),
  browsers: byVisit('browser', 'browser'),
  systems: byVisit('os', 'os'),
  devices: byVisit('device', 'device'),
  events: byEvent('name', 'meta.name', ['visitors', 'events']),
  hosts: byEvent('hostname', 'host', ['visitors', 'pageviews'], VIEWS),
}

export const ZONE = 'Europe/Berlin'
const ROWS = 10
const VISITOR = { $ifNull: ['$visitor', '$session'] }
const TOP = [{ $sort: { visitors: -1, _id: 1 } }, { $limit: ROWS }]
const OF_SESSIONS = {
  bounces: { $sum: { $cond: [{ $lte: ['$views', 1] }, 1, 0] } },
  duration: { $sum: { $subtract: ['$end', '$start'] } },
}
function text(field) {
  return { $cond: [{ $gt: [field, ''] }, field, '(none)'] }
}

function sessions(match, extra = {}) {
  return [
    { $match: { ...match, session: { $exists: true } } },
    {
      $group: {
        _id: '$session',
        visitor: { $max: VISITOR },
        views: { $sum: { $cond: [{ $eq: ['$meta.name', 'pageview'] }, 1, 0] } },
        start: { $min: '$ts' },
        end: { $max: '$ts' },
        ...extra,
      },
    },
  ]
}

/** By what the first page view of each session says, or the last one. */
function visitorsBy(match, field, which = '$top') {
  const first = { [which]: { sortBy: { isView: which === '$top' ? -1 : 1, ts: 1 }, output: `$${field}` } }
  const isView = { $cond: [{ $eq: ['$meta.name', 'pageview'] }, 1, 0] }
  const [matching, grouping] = sessions(match, { value: first })
  return [
    matching,
    { $set: { isView } },
    grouping,
    { $group: { _id: { d: text('$value'), v: '$visitor' } } },
    { $group: { _id: '$_id.d', visitors: { $sum: 1 } } },
    ...TOP,
  ]
}

/** @param round which makes it another question than those before, so that nothing was kept of it */
export const bodyOf = ({ query }, site, round = 0) => ({
  site_id: site,
  date_range: '30d',
  ...query,
  pagination: { limit: (query.dimensions?.[0] === 'time:day' ? 100 : ROWS) + round },
})

/** Rows of both answers, by what is compared. */
export function rowsOf({ query, compared }, { results }) {
  return results
    .slice(0, query.dimensions?.[0] === 'time:day' ? 100 : ROWS)
    .map(({ dimensions, metrics }) => [
      dimensions[0] ?? null,
      ...compared.map(name => metrics[query.metrics.indexOf(name)]),
    ])
}
export const rowsOfPipeline = ({ compared }, rows) => rows.map(row => [row._id, ...compared.map(name => row[name])])
