/** `dist/tag/full.js`: the core and every capability but the adapters of consent platforms, as a script. */
import { gcm } from '../consent/gcm.ts'
import { gpc } from '../consent/gpc.ts'
import { gpp } from '../consent/gpp.ts'
import { tcf } from '../consent/tcf.ts'
import { options } from './browser.ts'
import { begin } from './core.ts'
import { engagement } from './engagement.ts'
import { errors } from './errors.ts'
import { forms } from './forms.ts'
import { media } from './media.ts'
import { offline } from './offline.ts'
import { optOut } from './optout.ts'
import { rules } from './rules.ts'
import { tabs } from './tabs.ts'
import { urls } from './urls.ts'

// What is sent first must be clean, and wanted: `offline` comes after what sees to that.
begin(options, [gpc, gcm, tcf, gpp, rules, engagement, forms, media, errors, optOut, urls, offline, tabs])
