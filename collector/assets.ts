import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The folder of what `npm run build` makes, from the sources (`collector/`) as from the built file (`dist/collector/`).
 * @throws when nothing has been built
 */
export function builtFolder(): string {
  for (const place of ['../', '../dist/']) {
    const folder = fileURLToPath(new URL(place, import.meta.url))
    if (existsSync(`${folder}tag/chunks/core.js`)) return folder
  }
  throw new Error('the tag and the pages are not built: run `npm run build` first')
}
