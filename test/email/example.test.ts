import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const EXAMPLE = fileURLToPath(new URL('../../examples/email/run.mjs', import.meta.url))

test('the example sends by SMTP, opens as five kinds of clients, and shows the report', {
  timeout: 120_000,
}, async () => {
  const { MONGODB_URI: _, ...env } = process.env
  // Rejects when it ends with anything but 0.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [EXAMPLE], { env })
  expect(stderr).toBe('')
  for (const line of [
    'Registered: 3 links are counted, 3 stay as they are:',
    '  mailto:hello@shop.example (not-web)',
    '  https://shop.example/imprint (ignored)',
    '  https://shop.example/bye (unsubscribe)',
    'Sent by SMTP: 6 mails.',
    '  browser  GET /l/… 302 https://shop.example/sale?color=red&size=8&utm_source=news\n',
    '  browser  GET /p/… 200 image/gif (not counted: withdrawn)',
    '  browser  GET /l/… 302 https://shop.example/sale?color=red&size=8&utm_source=news (not counted: withdrawn)',
    'March news (',
    'sent 6, delivered 6',
    'Readers: 3 to 4',
    'Followed a link: 2, 50.0 % to 66.7 % of the readers',
  ])
    expect(stdout).toContain(line)
  const rows = {
    human: '2 2 2 2',
    'privacy-proxy': '1 1 0 0',
    'image-proxy': '1 1 0 0',
    prefetch: '0 0 1 1',
    scanner: '0 0 6 1',
  }
  for (const [name, counts] of Object.entries(rows))
    expect(stdout).toMatch(new RegExp(`^${name} +${counts.replaceAll(' ', ' +')}$`, 'm'))
})
