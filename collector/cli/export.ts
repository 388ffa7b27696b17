import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { defineCommand } from 'citty'
import { COLUMNS, FORMATS, type Format, KINDS, type Kind, readRows } from '../export/index.ts'
import { beginOf, readRecords } from '../query/index.ts'
import { listSites, SiteError } from '../sites/index.ts'
import { withDatabase } from './database.ts'

/** `livetag export`: events or sessions of a site, to stdout. It asks the database alone. */
export const exporting = defineCommand({
  meta: { name: 'export', description: 'Write events or sessions of a site to stdout' },
  args: {
    kind: { type: 'positional', description: KINDS.join(' or '), required: true },
    site: { type: 'string', description: 'key of the site', required: true },
    range: {
      type: 'string',
      description: 'as in queries: 7d, 6mo, all, or two dates: 2026-03-01,2026-03-31',
      default: '30d',
    },
    format: { type: 'string', description: Object.keys(FORMATS).join(', '), default: 'ndjson' },
  },
  async run({ args }) {
    await withDatabase(async db => {
      const kind = oneOf<Kind>('what to export', KINDS, args.kind)
      const format = oneOf('--format', Object.keys(FORMATS) as Format[], args.format)
      const site = (await listSites(db)).find(({ key }) => key === args.site)
      if (!site) throw new SiteError('unknown', `there is no site "${args.site}": \`livetag site list\` shows them`)
      const { signal } = new AbortController()
      const dates = args.range.includes(',') ? args.range.split(',') : args.range
      const begin = () => beginOf(db, site.key, signal)
      const records = await readRecords(kind, { date_range: dates }, { site, now: Date.now(), begin })
      if ('code' in records) throw new Error(records.detail.replace('date_range', '--range'))
      const { range, match } = records
      const rows = readRows(db, { kind, site: site.key, from: range.from, to: range.to, goals: site.goals, match })
      await pipeline(Readable.from(FORMATS[format].encode(COLUMNS[kind], rows)), process.stdout).catch(ignoreClosed)
    })
  },
})

function oneOf<T extends string>(name: string, list: readonly T[], text: string): T {
  const found = list.find(one => one === text)
  if (found === undefined) throw new Error(`${name}: one of ${list.join(', ')}`)
  return found
}

/** Who reads it may have seen enough, as `head` has. */
function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
}
