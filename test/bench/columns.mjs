/** Filtered dashboards and analyses of 30 days, and about the same asked of `events` by aggregation. */
import { DASHBOARD, ZONE } from './dashboard.mjs'

const VISITOR = { $ifNull: ['$visitor', '$session'] }
const FILTERS = {
  'one filter': { filters: [['is', 'visit:channel', ['organic search']]], match: { channel: 'organic search' } },
  'two filters': {
    filters: [
      ['is', 'visit:channel', ['organic search']],
      ['is', 'visit:country', ['DE']],
    ],
    match: { channel: 'organic search', country: 'DE' },
  },
  'half of all': { filters: [['is', 'visit:device', ['mobile']]], match: { device: 'mobile' } },
}
const STEPS = [
  { page: '/', match: { $eq: ['$path', '/'] } },
  { page: '/cart', match: { $eq: ['$path', '/cart'] } },
  { page: '/checkout', match: { $eq: ['$path', '/checkout'] } },
  { name: 'purchase', match: { $eq: ['$meta.name', 'purchase'] } },
]

/**
 * By name: the questions that are asked at once, as a path of the API and a body by round, and pipelines.
 * An event's own channel, country and device are taken for its visit's, which is less to do.
 */
export const COLUMNS = {
  ...Object.fromEntries(
    Object.entries(FILTERS).map(([name, { filters, match: own }]) => [
      name,
      {
        asked: round =>
          Object.values(DASHBOARD).map(({ query }) => [
            'query',
            { ...query, filters, pagination: { limit: (query.dimensions?.[0] === 'time:day' ? 100 : 10) + round } },
          ]),
        pipelines: match => Object.values(DASHBOARD).map(({ pipeline }) => pipeline({ ...match, ...own })),
      },
    ]),
  ),
  funnel: {
    asked: round => [
      [
        'funnel',
        {
          window_seconds: 86_400 + round,
          steps: STEPS.map(({ page, name }) => ({
            filters: [page ? ['is', 'event:page', [page]] : ['is', 'event:name', [name]]],
          })),
        },
      ],
    ],
    // Only when each step was last, not in which order all were.
    pipelines: match => [
      [
        { $match: match },
        {
          $group: {
            _id: '$session',
            ...Object.fromEntries(STEPS.map((step, i) => [`s${i}`, { $max: { $cond: [step.match, '$ts', null] } }])),
          },
        },
        {
          $group: {
            _id: null,
            ...Object.fromEntries(
              STEPS.map((_, i) => [
                `n${i}`,
                {
                  $sum: {
                    $cond: [
                      { $and: STEPS.slice(0, i + 1).map((_, k) => ({ $gte: [`$s${k}`, k ? `$s${k - 1}` : 1] })) },
                      1,
                      0,
                    ],
                  },
                },
              ]),
            ),
          },
        },
      ],
    ],
  },
  attribution: {
    asked: round => [
      [
        'attribution',
        { goal: 'Purchase', model: 'linear', dimension: 'visit:source', lookback_days: 30, limit: 100 + round },
      ],
    ],
    // The visits of each visitor who bought, and their sources.
    pipelines: match => [
      [
        { $match: match },
        {
          $group: {
            _id: '$session',
            visitor: { $max: VISITOR },
            source: { $first: '$source' },
            start: { $min: '$ts' },
            bought: { $sum: { $cond: [{ $eq: ['$meta.name', 'purchase'] }, 1, 0] } },
          },
        },
        { $group: { _id: '$visitor', bought: { $sum: '$bought' }, sources: { $push: '$source' } } },
        { $match: { bought: { $gt: 0 } } },
        { $set: { share: { $divide: ['$bought', { $size: '$sources' }] } } },
        { $unwind: '$sources' },
        { $group: { _id: '$sources', n: { $sum: '$share' } } },
      ],
    ],
  },
  retention: {
    asked: round => [['retention', { period: 'week', filters: [['is_not', 'visit:source', [`no source ${round}`]]] }]],
    pipelines: match => [
      [
        { $match: match },
        {
          $group: {
            _id: VISITOR,
            weeks: { $addToSet: { $dateTrunc: { date: '$ts', unit: 'week', startOfWeek: 'monday', timezone: ZONE } } },
          },
        },
        { $set: { first: { $min: '$weeks' } } },
        { $unwind: '$weeks' },
        { $group: { _id: { first: '$first', week: '$weeks' }, n: { $sum: 1 } } },
      ],
    ],
  },
}

/**
 * @param asLines whether estimates may come first
 * @returns how long all of them took together, ms, until each had its first line, too, and from what they were made
 */
export async function askColumns({ url, key }, site, name, round, asLines = false) {
  const started = performance.now()
  let first = 0
  const answers = await Promise.all(
    COLUMNS[name].asked(round).map(async ([path, body]) => {
      const response = await fetch(`${url}/api/v2/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, ...(asLines && { accept: 'application/x-ndjson' }) },
        body: JSON.stringify({ site_id: site, date_range: '30d', ...body }),
      })
      let text = ''
      for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
        if (!text.includes('\n') && (part.includes('\n') || !asLines))
          first = Math.max(first, performance.now() - started)
        text += part
      }
      return JSON.parse(text.trim().split('\n').at(-1))
    }),
  )
  const ms = performance.now() - started
  const failed = answers.find(({ meta }) => !meta)
  if (failed) throw Object.assign(new Error(`${name}: ${JSON.stringify(failed).slice(0, 300)}`), { code: failed.code })
  return { ms, first, sources: [...new Set(answers.map(({ meta }) => meta.source))] }
}
