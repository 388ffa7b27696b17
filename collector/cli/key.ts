import { defineCommand } from 'citty'
import { addKey, listKeys, revokeKey, SCOPES, type Scope } from '../sites/index.ts'
import { withDatabase } from './database.ts'
import { table } from './table.ts'

const add = defineCommand({
  meta: { name: 'add', description: 'Make an API key; it is shown once' },
  args: {
    name: { type: 'positional', description: 'what it is for', required: true },
    sites: { type: 'string', description: 'keys of sites, such as shop,blog; * is all', required: true },
    scope: { type: 'string', description: `${SCOPES.join(', ')}`, default: 'read' },
    json: { type: 'boolean', description: 'as JSON' },
  },
  async run({ args: { name, sites, scope, json } }) {
    await withDatabase(async db => {
      const list = sites.split(',').map(site => site.trim())
      const { key } = await addKey(db, { name, scope: scope as Scope, sites: list })
      if (json) return void process.stdout.write(`${JSON.stringify({ key, name, scope, sites: list })}\n`)
      process.stdout.write(`${key}\n`)
      process.stderr.write('Keep it now: it is not shown again. Send it as `Authorization: Bearer <key>`.\n')
    })
  },
})

const list = defineCommand({
  meta: { name: 'list', description: 'Show all API keys, but for their text' },
  args: { json: { type: 'boolean', description: 'as JSON' } },
  async run({ args }) {
    await withDatabase(async db => {
      const keys = await listKeys(db)
      if (args.json) return void process.stdout.write(`${JSON.stringify({ keys })}\n`)
      const day = (date?: Date) => date?.toISOString().slice(0, 16).replace('T', ' ') ?? 'never'
      const rows = keys.map(key => [
        `${key.id}…`,
        key.name,
        key.scope,
        key.sites.join(','),
        day(key.createdAt),
        day(key.usedAt),
      ])
      process.stdout.write(table([['key', 'name', 'scope', 'sites', 'made (UTC)', 'last used (UTC)'], ...rows]))
    })
  },
})

const revoke = defineCommand({
  meta: { name: 'revoke', description: 'Make a key worthless, within a second' },
  args: { key: { type: 'positional', description: 'its first characters, as `key list` shows them', required: true } },
  async run({ args }) {
    await withDatabase(async db => {
      const { id, name } = await revokeKey(db, args.key.replace(/…$/, ''))
      process.stdout.write(`Revoked ${id}… (${name}).\n`)
    })
  },
})

/** `livetag key add|list|revoke` */
export const key = defineCommand({
  meta: { name: 'key', description: 'Make, list and revoke API keys' },
  subCommands: { add, list, revoke },
})
