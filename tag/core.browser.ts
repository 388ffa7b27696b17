/** `dist/tag/core.js`: the core alone, as a script. */
import { options } from './browser.ts'
import { start } from './core.ts'

start(options)
