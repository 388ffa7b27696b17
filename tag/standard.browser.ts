/** `dist/tag/standard.js`: the core, the standards of consent and what most sites want, as a script. */
import { gcm } from '../consent/gcm.ts'
import { gpc } from '../consent/gpc.ts'
import { gpp } from '../consent/gpp.ts'
import { tcf } from '../consent/tcf.ts'
import { options } from './browser.ts'
import { start } from './core.ts'
import { offline } from './offline.ts'
import { rules } from './rules.ts'
import { urls } from './urls.ts'

// What is sent first must be clean, and wanted: `offline` comes after what sees to that.
start(options, [gpc, gcm, tcf, gpp, rules, urls, offline])
