/** `dist/tag/standard.js`: the core and the rules (clicks, scroll depth), as a script. */
import { readOptions } from './browser.ts'
import { start } from './core.ts'
import { rules } from './rules.ts'

start(readOptions(), [rules])
