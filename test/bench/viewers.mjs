/**
 * `npm run bench -- viewers`: a thousand people who watch one site, while events come in. How long from the collector's
 * receipt of an event until it is at a viewer, what the collector's memory does, and what some viewers who do not read do to
 * the others. `--viewers 1000 --events 2000 --seconds 300 --stalled 20` are what it does where nothing else is said.
 *
 * Viewers are sockets in a process of their own, which reads every byte and takes apart what one in fifty is told: a browser
 * has its own machine, and these share one with the collector, mongod and the load.
 */
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { AGENT } from './client.mjs'
import { startServer } from './servers.mjs'

const READ_OF = 50
const BATCH = 20
const PATHS = 60

const option = (args, name, usual) => {
  const at = args.indexOf(`--${name}`)
  return at < 0 ? usual : Number(args[at + 1])
}

export async function measureViewers(args) {
  const viewers = option(args, 'viewers', 1_000)
  const perSecond = option(args, 'events', 2_000)
  const seconds = option(args, 'seconds', 300)
  const stalled = option(args, 'stalled', 20)
  const home = await mkdtemp(join(tmpdir(), 'livetag-bench-'))
  const livetag = await startServer('livetag', { LIVETAG_HOME: home })
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify({ ...livetag, viewers, stalled })])
  try {
    const heard = queueOf(child)
    await heard('joined')
    const memory = []
    const sample = () => memory.push(rssOf(livetag.pid))
    sample()
    // The first part warms up: its memory and its latencies are of code that is being compiled.
    const warm = Math.min(20, seconds / 4)
    let sent = await send(livetag.url, perSecond, warm, sample, 0)
    child.send('begin')
    const steady = memory.length
    const before = busy(livetag.pid, child.pid)
    sent += await send(livetag.url, perSecond, seconds - warm, sample, sent / BATCH)
    const cores = busy(livetag.pid, child.pid).map(
      (at, i) => Math.round(((at - before[i]) / (seconds - warm)) * 100) / 100,
    )
    child.send('end')
    const told = await heard('told')
    const counted = await countedOf(livetag, sent)
    const kept = memory.slice(steady)
    const third = Math.floor(kept.length / 3)
    const middle = list => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
    const result = {
      viewers,
      stalled,
      seconds,
      'events/s sent': Math.round(sent / seconds),
      'events counted': `${counted} of ${sent}`,
      'receipt → viewer p50, ms': told.p50,
      'receipt → viewer p99, ms': told.p99,
      'receipt → viewer most, ms': told.most,
      'ticks/s at a viewer': Math.round((told.ticks / told.readers / (seconds - warm)) * 10) / 10,
      'KiB/s at a viewer': Math.round(told.bytes / viewers / (seconds - warm) / 1024),
      'memory, MiB, first third → last': `${middle(kept.slice(0, third))} → ${middle(kept.slice(-third))}`,
      'memory at most, MiB': Math.max(...memory),
      'stalled that read again': `${told.caughtUp} of ${stalled} know the latest`,
      'viewers that lost their line': told.lost,
      'busy cores: collector, viewers, load, all': cores.join(', '),
    }
    console.table(Object.fromEntries(Object.entries(result).map(([name, figure]) => [name, { figure }])))
  } finally {
    child.kill()
    await livetag.stop()
    await rm(home, { recursive: true, force: true })
  }
}

/** Resolves with the next message of a name; rejects when the process ends. */
const queueOf = child => name =>
  new Promise((resolve, reject) => {
    child.on('message', message => message.name === name && resolve(message))
    child.once('exit', code => reject(new Error(`the viewers ended with ${code}`)))
  })

const rssOf = pid => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024)

/** Seconds that processors were busy so far: with the collector, those who watch, this process, and anything at all. */
function busy(...pids) {
  const TICKS = 100
  const ofProcess = pid => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  }
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).slice(1)
  const all = [user, nice, system, irq, softirq].reduce((sum, n) => sum + Number(n), 0) / TICKS
  return [...[...pids, process.pid].map(ofProcess), all]
}

/** Sends events at an even pace, a batch of {@link BATCH} a request; gives back how many were taken. */
async function send(url, perSecond, seconds, everySecond, first) {
  const started = performance.now()
  const due = () => Math.min(seconds, (performance.now() - started) / 1000) * perSecond
  let [sent, taken, number, second] = [0, 0, first, 0]
  const waiting = new Set()
  while (sent < seconds * perSecond) {
    for (; sent < due() && waiting.size < 64; sent += BATCH) {
      const one = post(url, number++).then(ok => {
        taken += ok ? BATCH : 0
        waiting.delete(one)
      })
      waiting.add(one)
    }
    if ((performance.now() - started) / 1000 >= second) {
      everySecond()
      second++
    }
    await pause(2)
  }
  await Promise.all(waiting)
  return taken
}

async function post(url, number) {
  const visitor = `v${number % 3_000}`
  const names = ['click', 'scroll', 'impression', 'engagement', 'add_to_cart']
  const e = Array.from({ length: BATCH }, (_, q) => ({
    n: q % 4 === 0 ? 'pageview' : names[(number + q) % names.length],
    q,
    t: 0,
    d: { campaign: `campaign-${number % 12}`, step: q },
  }))
  const body = {
    s: 'demo',
    t: Date.now(),
    w: `${number}`.padStart(16, 'b'),
    p: { u: `https://shop.example/p/${number % PATHS}`, ti: 'A page', r: 'https://news.example/' },
    c: 'g',
    i: visitor,
    k: `${visitor}-${Math.floor(number / 30_000)}`,
    e,
  }
  const answer = await fetch(`${url}/e`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'text/plain', 'user-agent': AGENT },
  })
  await answer.arrayBuffer()
  return answer.status === 204
}

/** Waits until all is counted, as the API says. */
async function countedOf({ url, key }, sent) {
  let events = 0
  for (let i = 0; i < 100 && events < sent; i++) {
    await pause(200)
    const answer = await fetch(`${url}/api/v2/stats?site=demo&period=6h`, {
      headers: { authorization: `Bearer ${key}` },
    })
    events = (await answer.json()).totals.events
  }
  return events
}

/** The other process: those who watch. */
async function watch({ url, key, viewers, stalled }) {
  const { hostname, port } = new URL(url)
  const latencies = []
  let [isCounting, lost, bytes, ticks, joined] = [false, 0, 0, 0, 0]
  const readers = new Set()
  const begin = (reads, data) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      socket.write(`GET /api/v2/live?site=demo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`)
      socket.once('data', () => {
        joined++
        resolve(socket)
      })
      socket.once('error', reject)
      socket.on('close', () => lost++)
      socket.on('data', chunk => {
        if (isCounting) bytes += chunk.length
        if (reads) data(chunk)
      })
    })
  const reader = () => {
    let text = ''
    return chunk => {
      const now = Date.now()
      text += chunk.latin1Slice()
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const message = text.slice(0, end)
        text = text.slice(end + 2)
        if (!isCounting || !message.includes('event: tick')) continue
        ticks++
        for (const [, received] of message.matchAll(/"received":(\d+)/g)) latencies.push(now - Number(received))
      }
    }
  }
  // A few at a time, as a thousand tabs do not open in one moment.
  for (let i = 0; i < viewers; i += 50) {
    await Promise.all(
      Array.from({ length: Math.min(50, viewers - i) }, async (_, k) => {
        const reads = (i + k) % READ_OF === 0
        const socket = await begin(reads, reader())
        if (reads) readers.add(socket)
      }),
    )
  }
  const asleep = await Promise.all(Array.from({ length: stalled }, () => begin(false)))
  for (const socket of asleep) socket.pause()
  process.send({ name: 'joined', joined })
  process.on('message', async message => {
    isCounting = message === 'begin'
    if (isCounting) return
    const [lostBefore, end] = [lost, Date.now()]
    // Those who slept read again: what the network and the collector held for each, and then a snapshot if that was not all.
    const caughtUp = await Promise.all(
      asleep.map(
        socket =>
          new Promise(resolve => {
            const late = setTimeout(() => resolve(false), 20_000)
            socket.on('data', chunk => {
              const [, now = 0] = /"now":(\d+)/.exec(chunk.latin1Slice()) ?? []
              if (Number(now) < end - 1_000) return
              clearTimeout(late)
              resolve(true)
            })
            socket.resume()
          }),
      ),
    )
    latencies.sort((a, b) => a - b)
    const at = share => latencies[Math.floor((latencies.length - 1) * share)]
    process.send({
      name: 'told',
      p50: at(0.5),
      p99: at(0.99),
      most: at(1),
      ticks,
      readers: readers.size,
      bytes,
      caughtUp: caughtUp.filter(Boolean).length,
      lost: lostBefore,
    })
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await watch(JSON.parse(process.argv[2]))
