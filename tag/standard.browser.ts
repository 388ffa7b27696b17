/** `dist/tag/standard.js`: the core and what most sites want, as a script. */
import { options } from './browser.ts'
import { begin } from './core.ts'
import { engagement } from './engagement.ts'
import { offline } from './offline.ts'
import { optOut } from './optout.ts'
import { rules } from './rules.ts'
import { tabs } from './tabs.ts'
import { urls } from './urls.ts'

// What is sent first must be clean, and wanted: `offline` comes after what sees to that.
begin(options, [rules, engagement, optOut, urls, offline, tabs])
