import { defineCommand } from 'citty'
import { type LaneStatus, readStatus, type Status } from '../status/index.ts'
import { withDatabase } from './database.ts'
import { table } from './table.ts'

/** `livetag status`: the collectors of the deployment and what waits. Exit code 1 when work has no live holder. */
export const status = defineCommand({
  meta: { name: 'status', description: 'Show the collectors, their lanes and what waits in them' },
  args: { json: { type: 'boolean', description: 'print {ok, lanes, parked, rejected} as JSON' } },
  async run({ args }) {
    await withDatabase(async db => {
      const status = await readStatus(db)
      process.stdout.write(args.json ? `${JSON.stringify(status)}\n` : text(status))
      process.exitCode = status.ok ? 0 : 1
    })
  },
})

function text({ ok, lanes, parked, rejected }: Status): string {
  const head = ['lane', 'collector', 'epoch', 'lease', 'settled', 'open', 'events', 'lag', 'not folded']
  return `${table([head, ...lanes.map(rowOf)])}
${parked} events set aside, ${rejected} rejected in the last hour
${ok ? 'All is well.' : 'A lane has work and no live collector: start one, it takes the lane within 15 s.'}
`
}

const rowOf = ({ lane, holder, live, epoch, expiresIn, settled, open, unfolded }: LaneStatus): string[] => [
  `${lane}`,
  live ? holder : '(none)',
  `${epoch}`,
  leaseOf(expiresIn),
  `${settled}`,
  `${open.pages}`,
  `${open.events}`,
  `${open.lag} s`,
  `${unfolded}`,
]

const leaseOf = (expiresIn: number | null): string => {
  if (expiresIn === null) return 'given back'
  return expiresIn > 0 ? `${expiresIn} s` : `ended ${-expiresIn} s ago`
}
