/** The command: a run, a start on a backlog, or the check that the harness finds what it is there for. */
import { startOnBacklog } from './backlog.ts'
import { type Options, readOptions, repeatOf, USAGE } from './options.ts'
import { proveProtections } from './prove.ts'
import { clientsOf, summaryOf, totalsOf } from './report.ts'
import { isWrong, run } from './run.ts'

/** @returns the exit code: 0 nothing found, 1 a fault, 2 wrong usage */
export async function main(args: string[]): Promise<number> {
  let options: Options | undefined
  try {
    options = readOptions(args)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    return 2
  }
  if (!options) {
    process.stdout.write(USAGE)
    return 0
  }
  const { json } = options
  /** To people; with `--json` stdout is for the machine. */
  const say = (text: string): void => {
    ;(json ? process.stderr : process.stdout).write(`${text}\n`)
  }
  const print = (result: unknown): void => {
    if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  }
  if (options.backlog !== undefined) {
    const worked = await startOnBacklog(options, options.backlog, say)
    print(worked)
    return worked.ok ? 0 : 1
  }
  if (options.protections) {
    const proofs = await proveProtections(say)
    const ok = proofs.every(proof => proof.ok)
    print({ ok, protections: proofs })
    return ok ? 0 : 1
  }

  const outcome = await run(options, say)
  const { results, faults, seconds, blocks, folder } = outcome
  const { scenario, seed, from, rounds } = options
  say(`\n${summaryOf(options, outcome)}`)
  for (const fault of faults) say(`FAULT: ${fault}`)
  if (faults.length > 0) {
    const round = results.filter(isWrong).sort((a, b) => a.round - b.round)[0]?.round ?? from
    say(`\nRepeat: ${repeatOf(options, round, Math.max(1, from + rounds - round))}`)
  }
  if (folder) say(`Logs and data: ${folder}`)
  // Each batch by itself is too much to print.
  const all = results.map(({ latencies: _, ...result }) => result)
  const [totals, clients] = [totalsOf(results), clientsOf(results)]
  print({ scenario, seed, from, seconds, totals, clients, blocks, faults, folder, rounds: all })
  return faults.length > 0 ? 1 : 0
}
