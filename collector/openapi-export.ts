/** What of the description is about exports and the stream: rows are described by the tables of columns that they are made from. */
import { type Columns, type ColumnType, EVENT_COLUMNS, FORMATS, SESSION_COLUMNS } from './export/index.ts'
import { NDJSON } from './ndjson.ts'
import { answers, inQuery, OF_SITES, type Problems, ref, type Schema } from './openapi-parts.ts'

const TYPES: Readonly<Record<ColumnType, Schema>> = {
  time: { type: ['string', 'null'], format: 'date-time' },
  text: { type: ['string', 'null'] },
  integer: { type: ['integer', 'null'] },
  number: { type: ['number', 'null'] },
  json: { type: ['object', 'array', 'null'] },
}

const rowOf = (columns: Columns): Schema => ({
  type: 'object',
  required: Object.keys(columns),
  properties: Object.fromEntries(
    Object.entries(columns).map(([name, [type, description]]) => [
      name,
      { ...TYPES[type], ...(description && { description }) },
    ]),
  ),
  additionalProperties: false,
})

export const EXPORT_SCHEMAS: Readonly<Record<string, Schema>> = {
  EventRow: rowOf(EVENT_COLUMNS),
  SessionRow: rowOf(SESSION_COLUMNS),
  Told: {
    type: 'object',
    description: 'a line of the stream; without an event it says that nothing else came up to here',
    required: ['cursor'],
    properties: { cursor: { type: 'string', description: 'to go on from here' }, event: ref('EventRow') },
    additionalProperties: false,
  },
}

const optional = (name: string, description: string, schema: Schema = { type: 'string' }): Schema => ({
  ...inQuery(name, description),
  required: false,
  schema,
})
const SITE_ID = inQuery('site_id', 'key of the site')
const file = { type: 'string', format: 'binary' }
const BOUNDED = [...OF_SITES, 'too-many-queries', 'too-many-a-minute'] as const
const QUERIES = ['query-invalid', 'query-unsupported', 'query-too-large', 'query-timeout'] as const

export function describeExports(problems: Problems): Schema {
  const answer = answers(problems)
  const rows = (kind: string, row: string, last: string): Schema => ({
    get: {
      operationId: `export${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}`,
      summary: `The ${kind} of a site and range, in the order of their time, each once; takes the scope read`,
      parameters: [
        SITE_ID,
        inQuery('date_range', 'as in a query; two dates or times with a comma between them'),
        optional('filters', `as in a query, in JSON; of ${kind === 'events' ? 'event' : 'visit'} dimensions`),
        optional('format', 'if absent, as the header Accept says', { enum: Object.keys(FORMATS) }),
        optional('limit', 'rows of a part; the header Link has the next one', { type: 'integer', minimum: 1 }),
        optional('cursor', `what comes after this row: a JSON list of its ${last}`),
      ],
      ...answer(
        200,
        'the rows; the header x-livetag-stream-cursor says from where the stream has what comes later',
        {
          content: {
            [FORMATS.ndjson.type]: { schema: ref(row) },
            [FORMATS.csv.type]: { schema: { type: 'string' } },
            [FORMATS.parquet.type]: { schema: file },
          },
        },
        [...BOUNDED, ...QUERIES],
      ),
    },
  })
  return {
    '/events': rows('events', 'EventRow', 'time, id and name'),
    '/sessions': rows('sessions', 'SessionRow', 'start and id'),
    '/stream': {
      get: {
        operationId: 'stream',
        summary: 'Events of a site as they are counted, each once, for as long as it is read; takes the scope read',
        parameters: [SITE_ID, optional('cursor', 'of the last line that was read; if absent, from now on')],
        ...answer(
          200,
          'a line for each event',
          {
            content: {
              [NDJSON]: { schema: ref('Told') },
              'text/event-stream': { schema: { type: 'string', description: 'event: EventRow; its id is the cursor' } },
            },
          },
          [...BOUNDED, 'cursor-expired'],
        ),
      },
    },
  }
}
