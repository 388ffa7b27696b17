import { defineCommand } from 'citty'
import { type Found, KINDS, type Report, verify as verifyDatabase } from '../verify/index.ts'
import { withDatabase } from './database.ts'
import { table } from './table.ts'

/** The exit code where it can't run: 1 says that something was found. */
const CAN_NOT_RUN = 2

/** `livetag verify`: counts again from the raw record, also while collectors run. Exit code 0 when nothing is left. */
export const verify = defineCommand({
  meta: { name: 'verify', description: 'Count again from the raw events, compare, and repair' },
  args: {
    site: { type: 'string', description: 'only this site' },
    repair: { type: 'boolean', description: 'mend what can be; each repair is a document in `audit`' },
    json: { type: 'boolean', description: 'print {ok, checked, found, repaired} as JSON' },
  },
  async run({ args: { site, repair, json } }) {
    await withDatabase(async (db, client) => {
      const progress = (text: string) => process.stderr.write(`${text}\n`)
      const report = await verifyDatabase({ client, db, site, repair, began: Date.now(), progress })
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : text(report, repair === true))
      process.exitCode = report.ok ? 0 : 1
    }, CAN_NOT_RUN)
  },
})

function text({ ok, checked, found, repaired }: Report, repair: boolean): string {
  const counts = Object.entries({ ...checked }).map(([name, n]) => `${n.toLocaleString('en')} ${NAMES[name] ?? name}`)
  const rows = found.map(one => [
    one.kind,
    one.site,
    (one.hour ?? '').slice(0, 16),
    one.id ?? '',
    outcome(one, repaired),
  ])
  const kinds = [...new Set(found.map(({ kind }) => kind))].map(kind => [kind, KINDS[kind]])
  const left = found.filter(one => !repaired.includes(one) && one.kind !== 'parked')
  const advice =
    !repair && left.some(({ repairable }) => repairable) ? ': `livetag verify --repair` mends what it can' : ''
  return [
    `checked ${counts.join(', ')}\n`,
    ...(rows.length > 0 ? ['\n', table([['what', 'site', 'hour (UTC)', 'id', ''], ...rows]), '\n', table(kinds)] : []),
    `\n${ok ? 'All is well.' : `${left.length} left${advice}.`}\n`,
  ].join('')
}

const NAMES: Record<string, string> = { seen: 'claimed ids' }

function outcome(one: Found, repaired: Found[]): string {
  if (repaired.includes(one)) return 'repaired'
  if (one.why) return `not repaired: ${one.why}`
  const { expected, actual } = one
  if (expected !== undefined) return `is ${short(actual)}, should be ${short(expected)}`
  return actual === undefined ? '' : short(actual)
}

const short = (value: unknown): string => {
  const json = JSON.stringify(value) ?? 'not there'
  return json.length > 80 ? `${json.slice(0, 79)}…` : json
}
