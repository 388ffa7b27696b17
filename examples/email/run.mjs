/**
 * `npm run example:email`: a mailing from its HTML to its report. A collector and an SMTP server of its own, in a folder that is
 * gone afterwards; six mails, five kinds of clients that open them, clicks, and somebody who does not want to be measured.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createTransport } from 'nodemailer'
import { createCollector } from '../../dist/collector/index.js'
import { fill } from '../../dist/email/index.js'
import { act, CLIENTS } from './clients.mjs'
import { startSink } from './sink.mjs'

const KEY = 'owner-key-of-the-example'
const UNSUBSCRIBE = 'https://shop.example/bye'
const say = text => process.stdout.write(`${text}\n`)
/** Nobody opens a mail within seconds of its minting: the collector's clock goes ahead. */
let ahead = 0

const home = await mkdtemp(join(tmpdir(), 'livetag-example-'))
const sink = await startSink()
const collector = await createCollector(
  {
    ...{ home, host: '127.0.0.1', port: 0, ownerKey: KEY, logLevel: 'warn' },
    clock: () => Date.now() + ahead,
    onProgress: say,
  },
  { ...process.env, LIVETAG_HOME: home },
)
try {
  const { url } = await collector.listen()
  const ask = async (path, method, body) => {
    const headers = { authorization: `Bearer ${KEY}` }
    const response = await fetch(`${url}/api/v2/mailings${path}`, { method, headers, body })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return text
  }

  const html = await readFile(new URL('mail.html', import.meta.url), 'utf8')
  const input = { name: 'March news', policy: 'measure', html, unsubscribe: [UNSUBSCRIBE], utm: { source: 'news' } }
  const { id, links, template, left } = JSON.parse(await ask('?site=demo', 'POST', JSON.stringify(input)))
  say(`Registered: ${links.length} links are counted, ${left.length} stay as they are:`)
  for (const { href, why } of left) say(`  ${href} (${why})`)

  const recipients = [...Object.keys(CLIENTS), 'nobody']
  const lines = recipients.map(recipient => JSON.stringify({ recipient })).join('\n')
  const minted = (await ask(`/${id}/mint?site=demo`, 'POST', lines))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  const transport = createTransport({ host: '127.0.0.1', port: sink.port, secure: false, ignoreTLS: true })
  for (const one of minted) {
    await transport.sendMail({
      from: 'news@shop.example',
      to: `${one.recipient}@example.org`,
      subject: 'March news',
      html: fill(template, one, url),
      list: { unsubscribe: UNSUBSCRIBE },
    })
  }
  transport.close()
  await ask(`/${id}?site=demo`, 'PATCH', JSON.stringify({ sent: minted.length, delivered: sink.mails.size }))
  say(`Sent by SMTP: ${sink.mails.size} mails. A minute later:`)

  ahead = 60_000
  for (const [name, client] of Object.entries(CLIENTS)) {
    for (const line of await act(client, sink.mails.get(`${name}@example.org`), url)) say(`  ${name.padEnd(8)} ${line}`)
  }

  const expected = {
    opens: { human: 2, 'privacy-proxy': 1, 'image-proxy': 1 },
    clicks: { human: 2, prefetch: 1, scanner: 6 },
  }
  await reported(expected)
  await ask('/withdraw?site=demo', 'POST', JSON.stringify({ recipient: 'browser', mailing: id }))
  say('The reader with the browser withdraws, and opens the mail once more:')
  for (const line of await act(CLIENTS.browser, sink.mails.get('browser@example.org'), url)) say(`  browser  ${line}`)
  await reported(expected)

  const command = fileURLToPath(new URL('../../collector/cli/livetag.mjs', import.meta.url))
  const env = { ...process.env, LIVETAG_HOME: home, LIVETAG_OWNER_KEY: KEY }
  const { stdout } = await promisify(execFile)(process.execPath, [command, 'email', 'report', 'demo', id], { env })
  say(`\n${stdout}`)

  /** Waits until the report has just this. */
  async function reported(counts) {
    for (let tries = 0; ; tries++) {
      const report = JSON.parse(await ask(`/${id}/report?site=demo`, 'GET'))
      const wrong = Object.entries(counts).flatMap(([of, classes]) =>
        Object.entries(report[of]).filter(([name, { events }]) => events !== (classes[name] ?? 0)),
      )
      if (wrong.length === 0) return
      if (tries === 100) throw new Error(`the report says ${JSON.stringify(wrong)}`)
      await pause(100)
    }
  }
} finally {
  await Promise.all([collector.close(), sink.close()])
  await rm(home, { recursive: true, force: true })
}
