/** A harness that never found anything proves nothing: takes each protection out, and holds what is found against a run with it. */
import { rm } from 'node:fs/promises'
import { readOptions, repeatOf } from './options.ts'
import { PROTECTIONS } from './protections.ts'
import { totalsOf } from './report.ts'
import { isWrong, run } from './run.ts'

export interface Proof {
  protection: string
  /** whether a fault was found without it, and none with it */
  ok: boolean
  /** the command that finds it */
  command: string
  without: { lost: number; doubled: number; wrongCounters: number; seconds: number }
  /** what was found with it, which has to be nothing */
  faults: string[]
}

export async function proveProtections(say: (text: string) => void): Promise<Proof[]> {
  const proofs: Proof[] = []
  for (const [protection, { found }] of Object.entries(PROTECTIONS)) {
    const options = readOptions(found)
    if (!options) throw new Error(`"${protection}": --help finds nothing`)
    const without = { ...options, without: protection }
    const command = repeatOf(without, options.from, options.rounds)
    const broken = await run(without, () => {})
    if (broken.folder) await rm(broken.folder, { recursive: true, force: true })
    const whole = await run(options, () => {})
    const { lost, doubled, wrongCounters } = totalsOf(broken.results)
    // A run that could not be carried out has found nothing.
    const ok = broken.results.some(isWrong) && whole.faults.length === 0
    const { faults } = whole
    proofs.push({ protection, ok, command, without: { lost, doubled, wrongCounters, seconds: broken.seconds }, faults })
    say(
      `${ok ? 'ok  ' : 'FAIL'} ${protection}: without it ${lost} lost, ${doubled} doubled, ${wrongCounters} wrong counters ` +
        `(${Math.round(broken.seconds)} s); with it ${faults.length} faults (${Math.round(whole.seconds)} s)\n     ${command}`,
    )
    for (const fault of [...(ok ? [] : broken.faults), ...faults]) say(`     ${fault}`)
  }
  return proofs
}
