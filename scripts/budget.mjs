/** What `npm run size` measures, and what is allowed. */
import { brotliCompressSync, constants } from 'node:zlib'
import { EAGER } from './tag-build.mjs'

/** Bytes after brotli 11; only a smaller number replaces a number, or one by which pages start faster (`npm run bench:tag`). */
export const BUDGETS = { core: 1_798, consent: 2_312, standard: 3_392, full: 4_200 }
/** Of the dashboard, all of its files together; bytes after brotli 11. */
export const DASHBOARD = 60_000
/** How many times as large as the program `standard` the same may be when it is composed of chunks, as a collector does. */
export const MARGIN = 1.01

export const brotli = code =>
  brotliCompressSync(code, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(code),
    },
  })

/** The chunks of the program `standard`, put together as `/t/<site>.js` is. */
export function compose(chunks) {
  const { core, rules, engagement, optout, urls, offline, tabs } = chunks
  const options = '{"site":"demo",url:new URL("../e",document.currentScript.src).href}'
  return (
    EAGER +
    core
      .replace('CAPABILITIES', () => [rules, engagement, optout, urls, offline, tabs])
      .replace('OPTIONS', () => options)
  )
}
