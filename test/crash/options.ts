/** The command line. */
import { parseArgs } from 'node:util'
import { KINDS, type Kind, SCENARIOS, type Scenario } from './plan.ts'
import { PROTECTIONS } from './protections.ts'

export interface Options {
  scenario: Scenario
  seed: number
  rounds: number
  /** the first round, from 1: its draws are the same as if those before it had been run */
  from: number
  clients: number
  /** what alone is done to the deployment */
  only: Kind | undefined
  without: string | undefined
  /** instead of a run: a start on so many events that are not settled */
  backlog: number | undefined
  /** instead of a run: whether the loss of each protection is found */
  protections: boolean
  json: boolean
  keep: boolean
}

export const USAGE = `npm run crash -- [options]

  --scenario NAME   ${SCENARIOS.join(', ')} (default: single)
  --seed N          draws are the same for the same seed (default: 1)
  --rounds N        how many (default: 20)
  --from N          begin with this round, with its draws
  --clients N       sending at the same time (default: 6)
  --only KIND       do nothing else to the deployment: ${KINDS.join(', ')}
  --without NAME    take a protection out of the collectors: a fault has to be found. ${Object.entries(PROTECTIONS)
    .map(([name, { why }]) => `\n                      ${name}: ${why}`)
    .join('')}
  --backlog N       start a collector on so many events that are not settled, and count what it does while clients send
  --protections     take each of these out in turn, in a run that is meant for it; 0 when each is found, and nothing with it
  --json            results as JSON on stdout
  --keep            keep logs and data also when nothing is wrong
`

/** @throws Error that says which option is wrong */
export function readOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', default: 'single' },
      seed: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '20' },
      from: { type: 'string', default: '1' },
      clients: { type: 'string', default: '6' },
      only: { type: 'string' },
      without: { type: 'string' },
      backlog: { type: 'string' },
      protections: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const number = (name: 'seed' | 'rounds' | 'from' | 'clients' | 'backlog', least: number): number => {
    const value = Number(values[name])
    if (Number.isInteger(value) && value >= least) return value
    throw new Error(`--${name} takes a whole number from ${least} on, not "${values[name]}"`)
  }
  const scenario = SCENARIOS.find(name => name === values.scenario)
  if (!scenario) throw new Error(`--scenario takes ${SCENARIOS.join(', ')}, not "${values.scenario}"`)
  const only = KINDS.find(name => name === values.only)
  if (values.only !== undefined && !only) throw new Error(`--only takes ${KINDS.join(', ')}, not "${values.only}"`)
  return {
    scenario,
    seed: number('seed', 0),
    rounds: number('rounds', 1),
    from: number('from', 1),
    clients: number('clients', 1),
    only,
    without: values.without,
    backlog: values.backlog === undefined ? undefined : number('backlog', 1),
    protections: values.protections,
    json: values.json,
    keep: values.keep,
  }
}

/** The command that runs the rounds from this one on with the same draws. */
export const repeatOf = ({ scenario, seed, clients, only, without }: Options, round: number, rounds: number): string =>
  `npm run crash -- --scenario ${scenario} --seed ${seed} --from ${round} --rounds ${rounds}` +
  `${clients === 6 ? '' : ` --clients ${clients}`}${only === undefined ? '' : ` --only '${only}'`}${without === undefined ? '' : ` --without ${without}`}`
