#!/usr/bin/env node
// The command. In a checkout that has not been built yet it builds first; a published package is built.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const built = `${root}dist/cli/index.js`
if (!existsSync(built)) {
  process.stderr.write('livetag: building first (once)\n')
  // Its output goes to stderr: stdout belongs to the command (`--json`).
  const { status } = spawnSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    process.stderr.write('livetag: the build failed. Run `npm ci && npm run build` to see why.\n')
    process.exit(1)
  }
}
await import(new URL('../../dist/cli/index.js', import.meta.url).href)
