import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addSite } from '../../collector/sites/index.ts'
import { connect, type Mongod, openMongod } from '../../collector/store/index.ts'

const COMMAND = fileURLToPath(new URL('../../collector/cli/livetag.mjs', import.meta.url))

let mongod: Mongod
let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'livetag-cli-'))
  const { MONGODB_URI: _, ...env } = process.env
  mongod = await openMongod({ home, env, log: pino({ level: 'silent' }) })
  const client = await connect(mongod.uri, { appName: 'livetag-test' })
  await addSite(client.db('livetag'), { key: 'shop', domain: 'shop.example', consent: 'required', timezone: 'UTC' })
  await client.close()
})
afterAll(async () => {
  await mongod.close()
  await rm(home, { recursive: true, force: true })
})

async function run(args: string[], input = '') {
  const { MONGODB_URI: _, ...rest } = process.env
  const child = spawn(process.execPath, [COMMAND, 'email', ...args], { env: { ...rest, LIVETAG_HOME: home } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { code, out, err }
}

test('a mailing is registered, minted, reported and withdrawn from', { timeout: 120_000 }, async () => {
  const made = await run(
    ['new', 'shop', 'March news', '--policy', 'measure', '--links', '-', '--source', 'news'],
    'https://shop.example/sale\n\nhttps://shop.example/new\n',
  )
  expect(made.out, made.err).toMatch(/^[0-9a-f]{8}\n$/)
  const id = made.out.trim()
  // The collector of this folder leads its links on also without a database.
  expect(await readdir(join(home, 'email'))).toContain(`mailing-${Number.parseInt(id, 16)}.json`)

  const minted = await run(
    ['mint', 'shop', id],
    '{"recipient":"customer-1"}\n{"recipient":7}\n{"recipient":"customer-2"}',
  )
  expect(minted.code, minted.err).toBe(0)
  const [first, second, third] = minted.out.split('\n').map(line => (line === '' ? undefined : JSON.parse(line)))
  expect(first).toMatchObject({ recipient: 'customer-1', pixel: expect.stringMatching(/^\/p\/[\w-]{52}\.gif$/) })
  expect(first.links).toHaveLength(2)
  expect(second).toMatchObject({ line: 2, problem: expect.stringContaining('recipient') })
  expect(third).toMatchObject({ recipient: 'customer-2' })

  expect((await run(['withdraw', 'shop', 'customer-1', '--mailing', id])).code).toBe(0)
  const again = await run(['mint', 'shop', id], '{"recipient":"customer-1"}')
  expect(JSON.parse(again.out)).toMatchObject({ pixel: null, withdrawn: true })

  const report = await run(['report', 'shop', id])
  expect(report.out).toContain(`March news (${id}, measure): sent 3`)
  expect(report.out).toMatch(/^privacy-proxy +0 +0 +0 +0$/m)
  expect(report.out).toContain('Readers: 0 to 0')
  expect(report.out).toContain('https://shop.example/sale?utm_source=news')
  expect(JSON.parse((await run(['report', 'shop', id, '--json'])).out)).toMatchObject({ withdrawn: 1 })
  const list = await run(['list', 'shop'])
  expect(list.out).toMatch(new RegExp(`^${id} +March news +measure +2 +3 `, 'm'))
})

test('a mail becomes a template, and lines have the mail of each recipient', { timeout: 120_000 }, async () => {
  const html =
    '<p>a &amp; b <a href="https://shop.example/x?a=1&amp;b=2">x</a> <a href="https://shop.example/bye">y</a>\n'
  const [template, links] = [join(home, 'template.html'), join(home, 'links.txt')]
  const made = await run(['instrument', '-', '--links', links, '--unsubscribe', 'https://shop.example/bye'], html)
  expect(made.code, made.err).toBe(0)
  expect(made.out).toBe(
    '<p>a &amp; b <a href="[[livetag-link-1]]">x</a> <a href="https://shop.example/bye">y</a>\n[[livetag-pixel]]',
  )
  expect(made.err).toContain('it ends the sending of mails')
  await writeFile(template, made.out)
  const id = (await run(['new', 'shop', 'HTML', '--policy', 'measure', '--links', links])).out.trim()
  const url = ['--url', 'https://stats.example.com']
  const minted = await run(
    ['mint', 'shop', id, '--template', template, ...url],
    '{"recipient":"c-1"}\n{"recipient":""}',
  )
  expect(minted.code, minted.err).toBe(0)
  const [line = '', wrong = ''] = minted.out.split('\n')
  const one = JSON.parse(line)
  expect(one.html).toContain(`<a href="https://stats.example.com${one.links[0]}">x</a>`)
  expect(one.html).toContain(`<img src="https://stats.example.com${one.pixel}"`)
  expect(JSON.parse(wrong)).toMatchObject({ line: 2 })

  const other = (await run(['new', 'shop', 'No links', '--policy', 'measure'])).out.trim()
  for (const [args, words] of [
    [['mint', 'shop', other, '--template', template, ...url], /no link 1/],
    [['mint', 'shop', id, '--template', template], /--url/],
    [['mint', 'shop', id, '--template', '/no/such/file', ...url], /no such file/],
    [['instrument', template], /places of livetag in it already/],
    [['instrument', '/no/such/file'], /no such file/],
  ] as const) {
    const { code, out, err } = await run([...args], '{"recipient":"c-2"}')
    expect([code, out, err]).toEqual([1, '', expect.stringMatching(words)])
    expect(err).not.toContain('    at ')
  }
})

test('what is wrong is said in words', { timeout: 120_000 }, async () => {
  const wrong: [string[], RegExp][] = [
    [['new', 'nobody', 'x', '--policy', 'none'], /there is no site "nobody"/],
    [['new', 'shop', 'x', '--policy', 'all'], /measure, deliverability, none/],
    [['new', 'shop', 'x', '--policy', 'none', '--links', '/no/such/file'], /no such file/],
    [['report', 'shop', 'ffffffff'], /has no mailing "ffffffff"/],
  ]
  for (const [args, words] of wrong) {
    const { code, err } = await run(args)
    expect([code, err]).toEqual([1, expect.stringMatching(words)])
    expect(err).not.toContain('    at ')
  }
})
