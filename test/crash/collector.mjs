/**
 * A collector in a process of its own, for the crash harness. Its options come as JSON in the first argument; it says
 * its address over the channel to its parent, and ends with it.
 */
import { register } from 'node:module'
import { hold, release } from './holds.mjs'

const { built, without, options, closing } = JSON.parse(process.argv[2])
if (without) register(new URL('without.mjs', import.meta.url), { data: without })
const { createCollector } = await import(built)

process.on('disconnect', () => process.exit(1))
const hurried = closing && { closing: { pace: closing.pace, now: () => Date.now() + closing.ahead } }
const collector = await createCollector({ ...options, ...hurried }, {})
const { url } = await collector.listen()
process.on('message', ({ ask, at, lane }) => {
  if (ask === 'memory') process.send?.({ rss: process.memoryUsage.rss() })
  if (ask === 'hold') hold(at, lane, () => process.send?.({ held: at }))
  if (ask === 'release') release()
})
process.once('SIGTERM', () => collector.close().then(() => process.exit(0)))
process.send?.({ url })
