/** From parameters to what is to be exported, or the problem with them. */
import type { Request } from 'express'
import type { Db } from 'mongodb'
import { type Asked, FORMATS, type Format, fromCursor, type Kind } from './export/index.ts'
import type { PROBLEMS } from './problem.ts'
import { beginOf, readRecords } from './query/index.ts'
import type { Site } from './sites/index.ts'

/** Rows of one part. */
const MOST_ROWS = 10_000_000
const KNOWN = ['site_id', 'date_range', 'filters', 'format', 'limit', 'cursor']
const OF_STREAM = ['site_id', 'cursor']

export interface Wrong {
  code: keyof typeof PROBLEMS
  detail?: string
}
const wrong = (detail: string): Wrong => ({ code: 'parameter-invalid', detail })

export interface ExportRequest {
  asked: Asked
  format: Format
  /** rows of this part; all if absent */
  limit: number | undefined
  /** parameters of the part that begins there, ms */
  next(time: number): URLSearchParams
}

export interface Circumstances {
  db: Db
  site: Site
  /** ms */
  now: number
  signal: AbortSignal
}

export async function readExport(
  kind: Kind,
  request: Request,
  { db, site, now, signal }: Circumstances,
): Promise<ExportRequest | Wrong> {
  const query = readParameters(request, KNOWN)
  if (typeof query === 'string') return wrong(query)
  const { date_range: dates, filters, format = formatOf(request), limit, cursor } = query
  if (!isFormat(format)) return wrong(`format: one of ${Object.keys(FORMATS).join(', ')}`)
  if (limit !== undefined && !(/^\d{1,8}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= MOST_ROWS))
    return wrong(`limit: 1 to ${MOST_ROWS}`)
  const after = cursor === undefined ? undefined : fromCursor(cursor)
  if (cursor !== undefined && !after)
    return wrong(`cursor: a JSON list of ${kind === 'events' ? 'time, id and name' : 'start and id'} of the last row`)
  const read = filters === undefined ? [] : readJson(filters)
  if (read === undefined) return wrong('filters: a JSON list, as in a query')
  const records = await readRecords(
    kind,
    { date_range: dates?.includes(',') ? dates.split(',') : dates, filters: read },
    { site, now, begin: () => beginOf(db, site.key, signal) },
  )
  if ('code' in records) return records
  const { range, match } = records
  return {
    asked: { kind, site: site.key, from: range.from, to: range.to, goals: site.goals, match, after },
    format,
    limit: limit === undefined ? undefined : Number(limit),
    next: time =>
      // With what was meant: tomorrow the same name is another range.
      new URLSearchParams({
        ...query,
        format,
        date_range: records.dates.join(','),
        cursor: JSON.stringify([new Date(time).toISOString()]),
      }),
  }
}

/** The cursor of a stream, if there is one, or what is wrong. */
export function readStream(request: Request): { cursor: string | undefined } | Wrong {
  const query = readParameters(request, OF_STREAM)
  if (typeof query === 'string') return wrong(query)
  // What a browser sends by itself is newer than the address that it was given.
  return { cursor: request.get('last-event-id') ?? query.cursor }
}

function readParameters(request: Request, known: readonly string[]): Record<string, string> | string {
  const query: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.query)) {
    // A misspelt filter would give out more than was asked for.
    if (!known.includes(name)) return `takes ${known.join(', ')}`
    if (typeof value !== 'string') return `${name}: once`
    query[name] = value
  }
  return query
}

const isFormat = (name: string): name is Format => Object.hasOwn(FORMATS, name)

function formatOf(request: Request): Format {
  const types = Object.values(FORMATS).map(({ type }) => type)
  const accepted = request.accepts(types)
  return (Object.keys(FORMATS) as Format[]).find(format => FORMATS[format].type === accepted) ?? 'ndjson'
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
