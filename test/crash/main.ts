/** The run: rounds one after another; what each has left behind is counted while the next ones go on. */
import { isFaulty } from './check.ts'
import { type Deployment, deploy } from './deployment.ts'
import { checkAll, largestMemory, MOST_MEMORY } from './final.ts'
import { type Options, readOptions, repeatOf, USAGE } from './options.ts'
import { examplesOf, lineOf, type RoundResult, resultOf, summaryOf, totalsOf } from './report.ts'
import { checkRound, type RoundDone, runRound } from './round.ts'

/** Rounds that may wait for being counted: pages of a collector that was killed wait for their lease to expire. */
const MOST_WAITING = 10

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
  const { scenario, seed, from, rounds, without } = options
  const numbers = Array.from({ length: rounds }, (_, i) => from + i)
  const begun = performance.now()
  const deployment = await deploy(scenario, numbers.map(siteOf), without)
  const run: Run = { options, deployment, results: [], stored: new Map(), faults: [] }
  const interrupted = (signal: NodeJS.Signals) => {
    process.stderr.write(`${signal}: ending everything\n`)
    void deployment.close(false).finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  let broken = true
  try {
    await allRounds(run, numbers)
    if (run.faults.length === 0) run.faults.push(...(await checkAll(deployment, run.stored)))
    broken = run.faults.length > 0
  } catch (error) {
    run.faults.push((error as Error).stack ?? String(error))
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    await deployment.close(broken || options.keep)
  }

  const seconds = (performance.now() - begun) / 1000
  say(`\n${summaryOf(options, run.results, seconds)}`)
  for (const fault of run.faults) say(`FAULT: ${fault}`)
  if (broken) {
    const round = run.results.filter(isWrong).sort((a, b) => a.round - b.round)[0]?.round ?? from
    say(`\nRepeat: ${repeatOf(options, round, Math.max(1, from + rounds - round))}`)
  }
  if (broken || options.keep) say(`Logs and data: ${deployment.folder}`)
  if (options.json) {
    const { results, faults } = run
    const folder = broken || options.keep ? deployment.folder : undefined
    const json = { scenario, seed, from, seconds, totals: totalsOf(results), faults, folder, rounds: results }
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`)
  }
  return broken ? 1 : 0

  /** To people; with `--json` stdout is for the machine. */
  function say(text: string): void {
    ;(options?.json ? process.stderr : process.stdout).write(`${text}\n`)
  }
  async function allRounds(run: Run, numbers: number[]): Promise<void> {
    let counting: Promise<void>[] = []
    let last = Promise.resolve()
    for (const number of numbers) {
      const ran = await runRound(run.options, run.deployment, number, siteOf(number))
      const before = last
      last = count(run, ran).then(async text => {
        await before
        say(text)
      })
      last.catch(() => {})
      const counted = last.finally(() => {
        counting = counting.filter(other => other !== counted)
      })
      counting.push(counted)
      counted.catch(() => {})
      while (counting.length >= MOST_WAITING) await counting[0]
      if (run.faults.length > 0) break
    }
    await last
  }
}

interface Run {
  options: Options
  deployment: Deployment
  results: RoundResult[]
  /** events by site, as they were when the site was checked */
  stored: Map<string, number>
  faults: string[]
}

const siteOf = (round: number): string => `crash-${round}`
const isWrong = ({ lost, doubled, foreign, wrongCounters }: RoundResult) => lost + doubled + foreign + wrongCounters > 0

/** Counts a round and gives back what to print of it. */
async function count(run: Run, ran: RoundDone): Promise<string> {
  const { deployment, results, stored, faults } = run
  try {
    const checked = await checkRound(deployment, ran)
    const memory = await largestMemory(deployment)
    const result = resultOf(ran, checked, (performance.now() - ran.endedAt) / 1000, memory)
    results.push(result)
    stored.set(ran.site, checked.stored)
    if (isFaulty(checked.faults)) faults.push(`round ${ran.round}\n${examplesOf(checked.faults)}`)
    if (memory > MOST_MEMORY) faults.push(`round ${ran.round}: a collector takes ${memory} bytes of memory`)
    return lineOf(result)
  } catch (error) {
    faults.push(`round ${ran.round} (${ran.plan.join('; ')}): ${(error as Error).message}`)
    return `round ${String(ran.round).padStart(3)}: ${(error as Error).message}`
  } finally {
    ran.viewer.leave()
  }
}
