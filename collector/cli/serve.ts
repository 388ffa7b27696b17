import { defineCommand } from 'citty'
import type { Collector } from '../server.ts'
import { startListening } from './lead-on.ts'

/** `livetag serve`: starts a collector and prints where everything is. */
export const serve = defineCommand({
  meta: { name: 'serve', description: 'Start the collector (and a mongod of its own, unless MONGODB_URI is set)' },
  args: {
    host: { type: 'string', description: 'address to listen on (HOST, 127.0.0.1)' },
    port: { type: 'string', description: 'port to listen on, 0 for any (PORT, 4400)' },
  },
  async run({ args }) {
    const { collector, url } = await startListening({
      ...(args.host !== undefined && { host: args.host }),
      ...(args.port !== undefined && { port: Number(args.port) }),
      onProgress: text => process.stderr.write(`${text}\n`),
    })
    process.stdout.write(await banner(url, collector))
    endOnSignals(collector)
  },
})

async function banner(url: string, { access }: Collector): Promise<string> {
  const signIn = process.env.LIVETAG_OWNER_KEY ? `${url}/login` : `${url}/login?token=${await access.newLink()}`
  const note = process.env.LIVETAG_OWNER_KEY ? '' : '   (signs you in, once)'
  return `
  livetag is running at ${url}

  Dashboard   ${signIn}${note}
  Demo shop   ${url}/demo/

  Paste this on your pages:
  <script defer src="${url}/t/demo.js"></script>

  Your own site:  npx livetag site add <key> --domain shop.example --consent required
  Is it healthy?  npx livetag doctor
  Stop            Ctrl+C

`
}

function endOnSignals(collector: Collector): void {
  let asked = false
  const end = async (signal: NodeJS.Signals) => {
    // A second Ctrl+C does not wait.
    if (asked) process.exit(130)
    asked = true
    process.stderr.write(`\n${signal}: writing what is there, then stopping\n`)
    await collector.close()
    process.exit(0)
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
}
