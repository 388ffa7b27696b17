/**
 * `GET /t/_vitals.<hash>.js`: the tag's second file, which the capability `vitals` loads; the same for all sites. No site's
 * key begins with `_`.
 */
import { readFileSync } from 'node:fs'
import type { RequestHandler } from 'express'
import { FOR_EVER, packScript, SCRIPT_HEADERS, sendScript } from './packed-script.ts'
import { hashOf, integrityOf } from './pinned-scripts.ts'

/** @param folder with the built tag */
export function readVitals(folder: string): { name: string; integrity: string; text: string } {
  const text = readFileSync(`${folder}tag/vitals.js`, 'utf8')
  return { name: `_vitals.${hashOf(text)}.js`, integrity: integrityOf(text), text }
}

/** Another hash is of another version, whose text is gone: scripts that were composed with it go without. */
export function serveVitals(folder: string): RequestHandler {
  const { name, text } = readVitals(folder)
  const script = packScript(text)
  return (request, response, next) => {
    if (request.path !== `/t/${name}`) return next()
    response.set(SCRIPT_HEADERS)
    sendScript(request, response, script, FOR_EVER)
  }
}
