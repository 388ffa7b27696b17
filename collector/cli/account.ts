import { defineCommand } from 'citty'
import { addLink, emailOf, LINK_MS, listAccounts, removeAccount } from '../people/index.ts'
import { withDatabase } from './database.ts'
import { addressOf } from './running.ts'
import { table } from './table.ts'

const email = { type: 'positional', description: 'e-mail address of the account', required: true } as const

const list = defineCommand({
  meta: { name: 'list', description: 'Show who can sign in by password, and with which roles' },
  args: { json: { type: 'boolean', description: 'as JSON' } },
  async run({ args }) {
    await withDatabase(async db => {
      const accounts = await listAccounts(db)
      if (args.json) return void process.stdout.write(`${JSON.stringify({ accounts })}\n`)
      const rows = accounts.map(({ email, owner, roles, createdAt }) => [
        email,
        owner ? 'everything' : roles.map(({ site, role }) => `${site}: ${role}`).join(', '),
        createdAt.toISOString().slice(0, 16).replace('T', ' '),
      ])
      process.stdout.write(table([['e-mail', 'may', 'made (UTC)'], ...rows]))
    })
  },
})

const remove = defineCommand({
  meta: { name: 'remove', description: 'Remove an account; it is signed out within a second' },
  args: { email },
  async run({ args }) {
    await withDatabase(async db => {
      const name = emailOf(args.email)
      await removeAccount(db, name)
      process.stdout.write(`Removed the account of ${name}.\n`)
    })
  },
})

const reset = defineCommand({
  meta: { name: 'password-reset', description: 'Print a link with which a forgotten password is chosen anew, once' },
  args: {
    email,
    url: { type: 'string', description: "the collector's address, as its people see it; if absent, by HOST and PORT" },
  },
  async run({ args }) {
    await withDatabase(async db => {
      const name = emailOf(args.email)
      if (!(await listAccounts(db)).some(({ email }) => email === name))
        throw new Error(`there is no account of ${name}: \`livetag account list\` shows them`)
      const token = await addLink(db, { kind: 'reset', email: name }, Date.now())
      process.stdout.write(`${args.url?.replace(/\/$/, '') ?? addressOf(process.env)}/join?token=${token}\n`)
      process.stderr.write(`It works once, within ${LINK_MS.reset / 3_600_000} hours.\n`)
    })
  },
})

/** `livetag account list|remove|password-reset` */
export const account = defineCommand({
  meta: { name: 'account', description: 'Show and remove accounts, reset their passwords' },
  subCommands: { list, remove, 'password-reset': reset },
})
