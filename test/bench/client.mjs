/**
 * A load client that takes as little of the machine as it can, as client and server share its cores: raw sockets, requests
 * made beforehand, answers told apart by their lengths. A general client spends more on a request than the servers do.
 */
import { connect } from 'node:net'

/**
 * Keeps `connections` sockets busy, one request at a time each, for so many ms.
 * @param more whether there is another one; always if absent
 * @param request gives the next request as text, or the same every time
 * @returns requests a second, and latencies in ms at shares 0.5 and 0.99
 */
export async function load({ url, connections, ms, more = () => true, request }) {
  const { hostname, port } = new URL(url)
  const until = performance.now() + ms
  const latencies = []
  const started = performance.now()
  let failed = 0
  const run = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      let sentAt = 0
      let buffered = ''
      let usual = 0
      const send = () => {
        sentAt = performance.now()
        socket.write(request(), 'latin1')
      }
      socket.once('connect', send)
      socket.once('error', reject)
      const answered = () => {
        const now = performance.now()
        latencies.push(now - sentAt)
        if (now < until && more()) return send()
        socket.end()
        resolve()
      }
      socket.on('data', chunk => {
        // Nearly every answer is whole and as long as the one before: no need to read its headers.
        if (buffered === '' && chunk.length === usual && chunk[STATUS] === TWO) return answered()
        buffered += chunk.latin1Slice()
        const end = lengthOf(buffered)
        if (end === undefined || buffered.length < end) return
        if (!buffered.startsWith('HTTP/1.1 2')) failed++
        buffered = buffered.slice(end)
        usual = end
        answered()
      })
    })
  await Promise.all(Array.from({ length: connections }, run))
  if (failed > 0) throw new Error(`${url}: ${failed} answers were not 2xx`)
  const seconds = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  const at = share => Math.round((latencies[Math.floor(latencies.length * share)] ?? 0) * 10) / 10
  return { perSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** Where the first digit of the status is in `HTTP/1.1 200 OK`. */
const STATUS = 9
const TWO = '2'.charCodeAt(0)

/** The length of the first answer in the text, headers included; `undefined` while its headers are not whole. */
function lengthOf(text) {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const found = text.slice(0, head).match(/\r\ncontent-length: (\d+)/i)
  return head + 4 + Number(found?.[1] ?? 0)
}

/** Of a browser: what calls itself a tool is counted as a bot. */
export const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** A request as text, with a body where there is one (ASCII only). */
export function requestText(url, method, path, body) {
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nUser-Agent: ${AGENT}\r\n`
  return body === undefined
    ? `${head}\r\n`
    : `${head}Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}
