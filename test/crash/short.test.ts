import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const crash = fileURLToPath(new URL('run.mjs', import.meta.url))
/** Of a seed whose three rounds kill the collector and mongod, cut the network and fill the journal. */
const ROUNDS = ['--scenario', 'single', '--seed', '319', '--rounds', '3']

it('loses, doubles and miscounts nothing when a collector, its mongod and the network fail under load', async () => {
  const { stdout } = await run(process.execPath, [crash, ...ROUNDS, '--json'])
  const { faults, totals } = JSON.parse(stdout)
  expect(faults).toEqual([])
  expect(totals).toMatchObject({ lost: 0, doubled: 0, foreign: 0, wrongCounters: 0 })
  expect(totals.acknowledged).toBeGreaterThan(500)
  for (const what of ['kills', 'cuts', 'full'] as const) expect(totals[what]).toBeGreaterThan(0)
}, 180_000)

it('finds the fault of collectors that keep an id as often as it is in a page', async () => {
  const args = [crash, ...ROUNDS, '--from', '2', '--rounds', '1', '--without', 'first-in-page', '--json']
  const failed = await run(process.execPath, args).catch(
    error => error as { code: number; stdout: string; stderr: string },
  )
  expect(failed).toMatchObject({ code: 1 })
  expect(failed.stderr).toContain('Repeat: npm run crash -- --scenario single --seed 319 --from 2 --rounds 1')
  const { totals, folder } = JSON.parse(failed.stdout)
  expect(totals.doubled).toBeGreaterThan(0)
  await rm(folder, { recursive: true })
}, 180_000)
