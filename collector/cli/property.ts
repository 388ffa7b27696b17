import { defineCommand } from 'citty'
import { addProperty, listProperties, removeProperty } from '../sites/index.ts'
import { withDatabase } from './database.ts'
import { table } from './table.ts'

const site = { type: 'positional', description: "the site's key", required: true } as const
const name = { type: 'positional', description: "the property's name, as events have it", required: true } as const

const add = defineCommand({
  meta: { name: 'add', description: 'Count events by a property, from now on' },
  args: { site, name, json: { type: 'boolean', description: 'as JSON' } },
  async run({ args }) {
    await withDatabase(async db => {
      const property = await addProperty(db, args.site, { name: args.name }, new Date())
      if (args.json) return void process.stdout.write(`${JSON.stringify(property)}\n`)
      process.stdout.write(`Declared the property "${property.name}"; events are counted by it from now on.\n`)
    })
  },
})

const list = defineCommand({
  meta: { name: 'list', description: "Show a site's declared properties" },
  args: { site, json: { type: 'boolean', description: 'as JSON' } },
  async run({ args }) {
    await withDatabase(async db => {
      const properties = await listProperties(db, args.site)
      if (args.json) return void process.stdout.write(`${JSON.stringify({ properties })}\n`)
      const rows = properties.map(({ name, since }) => [name, since.toISOString().slice(0, 16)])
      process.stdout.write(table([['property', 'since (UTC)'], ...rows]))
    })
  },
})

const remove = defineCommand({
  meta: { name: 'remove', description: 'Count events by a property no longer; events keep it' },
  args: { site, name },
  async run({ args }) {
    await withDatabase(async db => {
      await removeProperty(db, args.site, args.name)
      process.stdout.write(`Removed the property "${args.name}".\n`)
    })
  },
})

/** `livetag property add|list|remove` */
export const property = defineCommand({
  meta: { name: 'property', description: 'Declare, list and remove properties by which events are counted' },
  subCommands: { add, list, remove },
})
