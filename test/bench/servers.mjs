/** The servers under measurement, each in a process of its own: `node servers.mjs <name>` prints its address. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** For all servers alike; `npm start` has it, too: fewer short-lived objects are taken for long-lived ones. */
const FLAGS = ['--max-semi-space-size=64']
const OWNER_KEY = 'bench-owner-key-of-this-run'
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

const listen = server =>
  new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)))

const SERVERS = {
  raw: () =>
    listen(
      createServer((_, response) => {
        response
          .writeHead(200, { 'content-type': 'image/gif', 'content-length': GIF.length, 'cache-control': 'no-store' })
          .end(GIF)
      }),
    ),
  async express() {
    const { default: express } = await import('express')
    const app = express()
    app.get('/p.gif', (_, response) => response.type('gif').set('cache-control', 'no-store').send(GIF))
    return await listen(createServer(app))
  },
  async livetag() {
    const { createCollector } = await import('../../dist/collector/index.js')
    const collector = await createCollector({ host: '127.0.0.1', port: 0, ownerKey: OWNER_KEY, logLevel: 'warn' })
    process.once('SIGTERM', () => collector.close().then(() => process.exit(0)))
    return (await collector.listen()).url
  },
}

/** Starts one of {@link SERVERS}; gives back its address and a way to stop it. */
export async function startServer(name, env = {}) {
  const child = spawn(process.execPath, [...FLAGS, fileURLToPath(import.meta.url), name], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise(resolve => child.once('exit', resolve))
  const url = await new Promise((resolve, reject) => {
    child.stdout.once('data', text => resolve(String(text).trim()))
    child.once('exit', code => reject(new Error(`${name} ended with ${code}`)))
  })
  return {
    url,
    pid: child.pid,
    key: OWNER_KEY,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Of the whole process, MiB. */
export const memoryOf = pid =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024)

/** Idle is who does not change by more in so long, MiB. */
const STEADY = { seconds: 20, most: 4, within: 900 }

/** What it takes when it has done what it does by itself after a start: for a while it is the same. */
export async function idleOf(pid) {
  const last = []
  for (let seconds = 0; seconds < STEADY.within; seconds++) {
    await pause(1_000)
    last.push(memoryOf(pid))
    if (last.length > STEADY.seconds) last.shift()
    if (last.length === STEADY.seconds && Math.max(...last) - Math.min(...last) <= STEADY.most) return Math.min(...last)
  }
  throw new Error('the collector does not come to rest')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const url = await SERVERS[process.argv[2]]()
  process.stdout.write(`${url}\n`)
}
