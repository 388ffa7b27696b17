import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import type { BacklogWorked } from './backlog.ts'

const crash = fileURLToPath(new URL('run.mjs', import.meta.url))

it('a collector that starts on events that are not settled works through them, and takes new ones meanwhile', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [crash, '--backlog', '20000', '--json'])
  const worked = JSON.parse(stdout) as BacklogWorked
  expect(worked).toMatchObject({ ok: true, lost: 0, doubled: 0, wrongCounters: 0 })
  expect(worked.events).toBeGreaterThanOrEqual(20_000)
  expect(worked.meanwhile.acknowledged).toBeGreaterThan(100)
  expect(Object.keys(worked.meanwhile.statuses)).toEqual(['204'])
}, 180_000)
