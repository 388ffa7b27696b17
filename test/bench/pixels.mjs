/**
 * Pixel requests a second: raw Node http and bare Express answer from memory, livetag when the event is on disk; of a mail's
 * pixel when it has verified the token and told a person from a machine, too.
 */
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { AGENT, load, requestText } from './client.mjs'
import { startServer } from './servers.mjs'

/** Every visitor's browser has a connection of its own: many, each with one request at a time. */
const CONNECTIONS = 256
/** Until V8 has optimized what is called most, seconds: after less, whoever has more code looks slow. */
const WARM_UP = 15
const SECONDS = 5
const ROUNDS = 7
const PATH = '/p.gif?site=demo&event=pageview&consent=g&campaign_id=123'

/** The path of a mail's pixel, minted as a sender would have it minted. */
export async function mintPixel({ url, key }) {
  const post = async (path, body) => {
    const headers = { authorization: `Bearer ${key}` }
    const response = await fetch(`${url}/api/v2/mailings${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return await response.json()
  }
  const { id } = await post('?site=demo', { name: 'bench', policy: 'measure' })
  return (await post(`/${id}/mint?site=demo`, { recipient: 'somebody' })).pixel
}

/**
 * @param settled resolves when livetag has nothing left to do
 * @param path what is asked of livetag
 */
export async function measurePixels(livetag, settled, path = PATH) {
  const raw = await startServer('raw')
  const express = await startServer('express')
  try {
    const servers = { raw, express, livetag }
    const rates = { raw: [], express: [], livetag: [] }
    const pathOf = name => (name === 'livetag' ? path : PATH)
    for (const [name, { url }] of Object.entries(servers)) await requestsPerSecond(url, WARM_UP, pathOf(name))
    await settled()
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, { url }] of Object.entries(servers)) {
        rates[name].push(await requestsPerSecond(url, SECONDS, pathOf(name)))
        // What livetag has not settled yet would be settled at the expense of whoever comes next.
        await settled()
      }
    }
    // Of each round alone: what else the machine does changes from minute to minute.
    const times = other => median(rates.livetag.map((rate, round) => rate / rates[other][round]))
    return {
      client: HAS_WRK ? 'wrk' : 'node',
      ...Object.fromEntries(Object.entries(rates).map(([name, list]) => [name, median(list)])),
      timesExpress: times('express'),
      timesRaw: times('raw'),
      rates,
    }
  } finally {
    await raw.stop()
    await express.stop()
  }
}

const median = list => [...list].sort((a, b) => a - b)[list.length >> 1]

async function requestsPerSecond(url, seconds, path) {
  if (HAS_WRK) return await withWrk(url, seconds, path)
  const text = requestText(url, 'GET', path)
  return (await load({ url, connections: CONNECTIONS, ms: seconds * 1000, request: () => text })).perSecond
}

/** wrk takes a quarter of what any client in Node takes, so more of the machine is left for the servers. */
const HAS_WRK = spawnSync('wrk', ['-v']).error === undefined

async function withWrk(url, seconds, path) {
  const args = [
    '-t1',
    '--timeout',
    '10s',
    `-c${CONNECTIONS}`,
    `-d${seconds}s`,
    '-H',
    `User-Agent: ${AGENT}`,
    url + path,
  ]
  const { stdout } = await promisify(execFile)('wrk', args)
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}: ${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
}
