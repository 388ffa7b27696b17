/** `npm run crash`: kills, stops and cuts a deployment under load, round after round, and counts. `--help` says how. */
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

const { module } = await runnerImport(fileURLToPath(new URL('main.ts', import.meta.url)))
process.exitCode = await module.main(process.argv.slice(2))
