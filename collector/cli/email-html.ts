/** What of `livetag email` is about the HTML of mails. */
import { createReadStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { defineCommand } from 'citty'
import { fill, instrument, LEFT, type Mailing, type Paths } from '../email/index.ts'
import { fail } from './fail.ts'
import { table } from './table.ts'

/** @param path `-` is stdin */
export const input = (path: string) => (path === '-' ? process.stdin : createReadStream(path))

export const instrumented = defineCommand({
  meta: { name: 'instrument', description: 'Make a template of an HTML mail: places for its pixel and links' },
  args: {
    mail: { type: 'positional', description: 'file with the HTML; - is stdin', required: true },
    links: { type: 'string', description: 'file to write its links to, for `email new --links`' },
    unsubscribe: { type: 'string', description: 'addresses that end the sending of mails, with commas between them' },
  },
  async run({ args: { mail, links: file, unsubscribe = '' } }) {
    try {
      const given = unsubscribe.split(',').filter(address => address !== '')
      const { template, links, left } = instrument(await text(input(mail)), { unsubscribe: given })
      if (file !== undefined) await writeFile(file, links.map(link => `${link}\n`).join(''))
      process.stdout.write(template)
      const wrapped = links.map((link, i) => [String(i + 1), link, ''])
      const others = left.map(({ href, why }) => ['-', href, LEFT[why]])
      process.stderr.write(table([['link', 'address', 'stays as it is, as'], ...wrapped, ...others]))
    } catch (error) {
      fail(error)
    }
  },
})

/**
 * Adds the whole mail of a recipient to what was minted, where there is a template.
 * @throws Error before anything is minted: where the template is not of this mailing, or the address is missing
 */
export async function filler(
  path: string | undefined,
  url: string | undefined,
  { links }: Mailing,
): Promise<(minted: Paths) => Paths & { html?: string }> {
  if (path === undefined) return minted => minted
  const template = await readFile(path, 'utf8')
  if (url === undefined || !/^https?:/i.test(url) || !URL.canParse(url))
    throw new Error(
      'with --template goes --url, the address of the collector as mails reach it: https://stats.example.com',
    )
  fill(template, { pixel: null, links }, url)
  return minted => ({ ...minted, html: fill(template, minted, url) })
}
