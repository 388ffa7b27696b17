import { text } from 'node:stream/consumers'
import { defineCommand } from 'citty'
import type { Db } from 'mongodb'
import { readConfig } from '../config.ts'
import {
  answerLines,
  CLASSES,
  createEmail,
  type Email,
  findMailing,
  listMailings,
  POLICIES,
  type Report,
  readReport,
} from '../email/index.ts'
import { createLog } from '../log.ts'
import { listSites, type Site, SiteError } from '../sites/index.ts'
import { withDatabase } from './database.ts'
import { filler, input, instrumented } from './email-html.ts'
import { table } from './table.ts'

const site = { type: 'positional', description: "the site's key", required: true } as const
const id = { type: 'positional', description: "the mailing's id", required: true } as const
const asJson = { type: 'boolean', description: 'as JSON' } as const

const withSite = (key: string, work: (db: Db, site: Site) => Promise<void>): Promise<void> =>
  withDatabase(async db => {
    const found = (await listSites(db)).find(site => site.key === key)
    if (!found) throw new SiteError('unknown', `there is no site "${key}": \`livetag site list\` shows them`)
    await work(db, found)
  })

/** Of the data folder in which the collector runs, so that its links are in there, too. */
const withEmail = (key: string, work: (email: Email, db: Db) => Promise<void>): Promise<void> =>
  withSite(key, async db => {
    const { home } = readConfig({}, { ...process.env, HOST: '' })
    const email = await createEmail({ db, home, log: createLog('warn'), clock: Date.now })
    try {
      await work(email, db)
    } finally {
      await email.close()
    }
  })

const create = defineCommand({
  meta: { name: 'new', description: 'Register a mailing; prints its id' },
  args: {
    site,
    name: { type: 'positional', description: 'what reports call it', required: true },
    policy: { type: 'string', description: `what recipients agreed to: ${POLICIES.join(', ')}`, required: true },
    links: { type: 'string', description: 'file with the addresses that its links lead to, one a line; - is stdin' },
    source: { type: 'string', description: 'utm_source, added to links without one' },
    medium: { type: 'string', description: 'utm_medium' },
    campaign: { type: 'string', description: 'utm_campaign' },
    term: { type: 'string', description: 'utm_term' },
    content: { type: 'string', description: 'utm_content' },
    json: asJson,
  },
  async run({ args: { site, name, policy, links, json, source, medium, campaign, term, content } }) {
    await withEmail(site, async email => {
      const addresses = links === undefined ? [] : (await text(input(links))).split('\n').map(line => line.trim())
      const given = Object.entries({ source, medium, campaign, term, content }).filter(
        ([, value]) => value !== undefined,
      )
      const made = await email.add(site, {
        name,
        policy,
        links: addresses.filter(line => line !== ''),
        utm: Object.fromEntries(given),
      })
      process.stdout.write(`${json ? JSON.stringify(made) : made.id}\n`)
    })
  },
})

const list = defineCommand({
  meta: { name: 'list', description: "Show a site's newest mailings" },
  args: { site, json: asJson },
  async run({ args: { site, json } }) {
    await withSite(site, async db => {
      const mailings = await listMailings(db, site)
      if (json) return void process.stdout.write(`${JSON.stringify({ mailings })}\n`)
      const rows = mailings.map(({ id, name, policy, links, minted, created }) => [
        ...[id, name, policy, String(links.length), String(minted)],
        created.toISOString().slice(0, 16),
      ])
      process.stdout.write(table([['id', 'name', 'policy', 'links', 'minted', 'made (UTC)'], ...rows]))
    })
  },
})

const mint = defineCommand({
  meta: { name: 'mint', description: 'Mint paths: lines {"recipient": …} in, lines with "pixel" and "links" out' },
  args: {
    site,
    id,
    from: { type: 'string', description: 'file of lines; - is stdin', default: '-' },
    template: { type: 'string', description: 'file of `email instrument`: lines have the mail, too, as "html"' },
    url: { type: 'string', description: "with it: the collector's address, as mails reach it" },
  },
  async run({ args }) {
    await withEmail(args.site, async (email, db) => {
      const fillIn = await filler(args.template, args.url, await findMailing(db, args.site, args.id))
      const minting = await email.minting(args.site, args.id)
      const answer = async (recipient: string) => fillIn(await minting.mint(recipient))
      try {
        for await (const line of answerLines(input(args.from), answer)) {
          if (!process.stdout.write(`${JSON.stringify(line)}\n`)) {
            await new Promise(resolve => process.stdout.once('drain', resolve))
          }
        }
      } finally {
        await minting.end()
      }
    })
  },
})

const report = defineCommand({
  meta: { name: 'report', description: 'Show what became of a mailing' },
  args: { site, id, json: asJson },
  async run({ args }) {
    await withSite(args.site, async (db, { key, timezone }) => {
      const made = await readReport(db, await findMailing(db, key, args.id), timezone, Date.now())
      process.stdout.write(args.json ? `${JSON.stringify(made)}\n` : reportText(made))
    })
  },
})

function reportText({
  mailing,
  sent,
  delivered,
  opens,
  clicks,
  readers,
  clickers,
  clickToOpen,
  links,
  uncounted,
}: Report) {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const rate = clickToOpen ? `, ${percent(clickToOpen.least)} to ${percent(clickToOpen.most)} of the readers` : ''
  const lost = uncounted.opens + uncounted.clicks
  const delivery = delivered === null ? '' : `, delivered ${delivered}`
  return [
    `${mailing.name} (${mailing.id}, ${mailing.policy}): sent ${sent}${delivery}\n\n`,
    table([
      ['', 'opens', 'people', 'clicks', 'people'],
      ...CLASSES.map(kind => [
        kind,
        ...[opens[kind], clicks[kind]].flatMap(({ events, people }) => [String(events), String(people)]),
      ]),
    ]),
    `\nReaders: ${readers.least} to ${readers.most}\n${readers.why.map(why => `  ${why}\n`).join('')}`,
    `Followed a link: ${clickers}${rate}\n`,
    ...links.map(({ link, url, people }) => `  ${link}  ${people}  ${url}\n`),
    lost > 0 ? `Not counted, as nothing could be written: ${uncounted.opens} opens, ${uncounted.clicks} clicks\n` : '',
  ].join('')
}

const withdraw = defineCommand({
  meta: { name: 'withdraw', description: 'Measure a recipient no longer, also by mails already sent' },
  args: {
    site,
    recipient: { type: 'positional', description: 'your own reference, as it was minted with', required: true },
    mailing: { type: 'string', description: 'id of the mailing that made them do so' },
  },
  async run({ args: { site, recipient, mailing } }) {
    await withEmail(site, async email => {
      await email.withdraw(site, recipient, mailing)
      process.stdout.write('Nothing is recorded of this recipient from now on.\n')
    })
  },
})

/** `livetag email instrument|new|list|mint|report|withdraw` */
export const email = defineCommand({
  meta: { name: 'email', description: 'Register mailings, mint their pixels and links, and see what became of them' },
  subCommands: { instrument: instrumented, new: create, list, mint, report, withdraw },
})
