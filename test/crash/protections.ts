/** What `--without` can take out of the collectors, by a text of the built code. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import protections from './protections.json'

export interface Protection {
  why: string
  /** a regular expression that the built code matches exactly once */
  find: string
  replace: string
  /** a run that finds a fault when it is taken out, and none when it is not */
  found: string[]
}

export const PROTECTIONS: Record<string, Protection> = protections

/** @throws Error when the built code has it nowhere or more than once: then nothing, or too much, would be taken out */
export function checkProtection(name: string, folder: string): Protection {
  const protection = PROTECTIONS[name]
  if (!protection) throw new Error(`--without takes ${Object.keys(PROTECTIONS).join(', ')}, not "${name}"`)
  const matches = readdirSync(folder)
    .filter(file => file.endsWith('.js'))
    .flatMap(file => [...readFileSync(join(folder, file), 'utf8').matchAll(new RegExp(protection.find, 'g'))])
  if (matches.length !== 1) {
    throw new Error(
      `"${name}" is in the built code ${matches.length} times, not once: adapt test/crash/protections.json`,
    )
  }
  return protection
}
