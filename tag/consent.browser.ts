/** `dist/tag/consent.js`: the core and what consent asks for, as a script. */
import { options } from './browser.ts'
import { start } from './core.ts'
import { gpc } from './gpc.ts'
import { optOut } from './optout.ts'
import { tabs } from './tabs.ts'
import { urls } from './urls.ts'

start(options, [gpc, urls, optOut, tabs])
