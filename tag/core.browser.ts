/** `dist/tag/core.js`: the core alone, as a script. */
import { readOptions } from './browser.ts'
import { start } from './core.ts'

start(readOptions())
