import { defineCommand } from 'citty'
import { explain, fail } from './fail.ts'
import { addressOf, asOwner, isRunning } from './running.ts'

/** `livetag login`: prints a link that signs in once, for a running collector. */
export const login = defineCommand({
  meta: { name: 'login', description: 'Print a link that signs you in once' },
  async run() {
    try {
      const url = addressOf(process.env)
      if (!(await isRunning(url)))
        throw new Error(`no collector answers at ${url}: start one with \`npx livetag serve\``)
      const running = await asOwner(url, process.env)
      const { token } = (await (await running.ask('/api/v2/login-links', { method: 'POST' })).json()) as {
        token: string
      }
      process.stdout.write(`${url}/login?token=${token}\n`)
    } catch (error) {
      fail(explain(error as Error))
    }
  },
})
