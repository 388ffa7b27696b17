import { defineCommand } from 'citty'
import { removalOf, type SeedReport, seed as seedSite } from '../seed/index.ts'
import { withDatabase } from './database.ts'
import { startProgress } from './progress.ts'
import { table } from './table.ts'

/** The exit code of what was ended by Ctrl+C. */
const INTERRUPTED = 130

/** `livetag seed`: writes a made-up history into a site, and prints the totals that reports have to say. */
export const seed = defineCommand({
  meta: { name: 'seed', description: 'Write a made-up history into a site, for trying out and measuring' },
  args: {
    site: { type: 'string', description: 'key of the site', required: true },
    events: { type: 'string', description: 'how many, all together', required: true },
    days: { type: 'string', description: "of the site's time zone", default: '30' },
    until: { type: 'string', description: 'date before which it ends; today if absent' },
    seed: { type: 'string', description: 'a whole number: the same one gives the same history', default: '1' },
    cookieless: {
      type: 'string',
      description: 'share of visitors of whom nothing is kept; 0, or 0.6 where the site is cookieless, if absent',
    },
    add: { type: 'boolean', description: 'also where the site has events already' },
    'without-events': {
      type: 'boolean',
      description: 'sessions and rollups alone: faster and smaller, but nothing for `verify` to count again',
    },
    json: { type: 'boolean', description: 'print the totals as JSON' },
  },
  async run({ args }) {
    await withDatabase(async db => {
      const interruption = endOnSignals()
      const events = numberOf(args.events)
      const progress = startProgress(events)
      const report = await seedSite({
        db,
        site: args.site,
        events,
        days: numberOf(args.days),
        seed: numberOf(args.seed),
        until: args.until,
        cookieless: args.cookieless === undefined ? undefined : numberOf(args.cookieless),
        add: args.add,
        withoutEvents: args['without-events'],
        signal: interruption.signal,
        progress: progress.tell,
        now: Date.now(),
      }).finally(() => {
        progress.end()
        interruption.end()
      })
      process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : text(report))
      if (!report.interrupted) return
      process.stderr.write(
        `livetag: ended early: what is there is whole, up to ${report.last}.\n${removalOf(args.site, args.add === true)}\n`,
      )
      process.exitCode = INTERRUPTED
    })
  },
})

/** An empty text is no number, and not 0. */
const numberOf = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text))

function endOnSignals() {
  const stop = new AbortController()
  const end = (signal: NodeJS.Signals) => {
    // A second Ctrl+C does not wait.
    if (stop.signal.aborted) process.exit(INTERRUPTED)
    process.stderr.write(`\n${signal}: writing to its end what has begun, then stopping\n`)
    stop.abort()
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  return {
    signal: stop.signal,
    end() {
      process.off('SIGINT', end)
      process.off('SIGTERM', end)
    },
  }
}

const number = (n: number): string => n.toLocaleString('en')

function text({ site, from, to, lane, stored, seconds, all, people, pages, sources, goals }: SeedReport): string {
  const rate = number(Math.round(all.events / Math.max(seconds, 0.1)))
  const sums = Object.keys(all) as (keyof typeof all)[]
  return [
    `${site}: ${from} to ${to}, on lane ${lane}, in ${number(seconds)} s (${rate} events/s)\n`,
    `stored ${number(stored.events)} events, ${number(stored.sessions)} sessions, ${number(stored.rollups)} rollups\n\n`,
    table([
      ['', 'without bots', 'all'],
      ...sums.map(name => [name, number(people[name]), number(all[name])]),
      ['visitors', number(people.visitors)],
      ['bounce rate', `${((100 * people.bounces) / Math.max(people.visits, 1)).toFixed(1)} %`],
      ['visit duration', `${(people.duration / 1000 / Math.max(people.visits, 1)).toFixed(1)} s`],
      ['purchases', number(people.purchases)],
      ['revenue', `${number(people.revenue)} cents`],
    ]),
    '\n',
    table([
      ['goal', 'conversions', 'revenue'],
      ...goals.map(([name, n, worth]) => [name, number(n), `${number(worth)} cents`]),
    ]),
    '\n',
    table([['page', 'page views'], ...pages.map(([path, n]) => [path, number(n)])]),
    '\n',
    table([['source', 'visits'], ...sources.map(([source, n]) => [source, number(n)])]),
  ].join('')
}
