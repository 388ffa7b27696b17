/** `dist/tag/consent.js`: the core and the standards of consent, as a script. */
import { gcm } from '../consent/gcm.ts'
import { gpc } from '../consent/gpc.ts'
import { gpp } from '../consent/gpp.ts'
import { tcf } from '../consent/tcf.ts'
import { options } from './browser.ts'
import { begin } from './core.ts'

begin(options, [gpc, gcm, tcf, gpp])
