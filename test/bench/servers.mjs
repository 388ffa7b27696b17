/** The servers under measurement, each in a process of its own: `node servers.mjs <name>` prints its address. */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const url = await SERVERS[process.argv[2]]()
  process.stdout.write(`${url}\n`)
}
