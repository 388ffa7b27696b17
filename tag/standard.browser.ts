/** `dist/tag/standard.js`: the core, opting out and the rules (clicks, scroll depth), as a script. */
import { options } from './browser.ts'
import { start } from './core.ts'
import { optOut } from './optout.ts'
import { rules } from './rules.ts'

start(options, [optOut, rules])
