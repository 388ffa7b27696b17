/** The command `livetag`. */
import { defineCommand, runMain } from 'citty'
import { account } from './account.ts'
import { doctor } from './doctor.ts'
import { email } from './email.ts'
import { exporting } from './export.ts'
import { goal } from './goal.ts'
import { key } from './key.ts'
import { login } from './login.ts'
import { property } from './property.ts'
import { seed } from './seed.ts'
import { serve } from './serve.ts'
import { site } from './site.ts'
import { status } from './status.ts'
import { verify } from './verify.ts'

const main = defineCommand({
  meta: { name: 'livetag', description: 'Real-time, consent-aware tracking on your own ground.' },
  subCommands: {
    serve,
    doctor,
    status,
    verify,
    site,
    goal,
    property,
    email,
    key,
    account,
    login,
    seed,
    export: exporting,
  },
})

await runMain(main)
