/** `dist/tag/core.js`: the core alone, as a script: no capability can join it. */
import { options } from './browser.ts'
import { begin } from './core.ts'

begin(options)
