/**
 * Options for a tag that is used as a file by itself:
 *
 * ```html
 * <script>window.livetag=window.livetag||function(){(livetag.q=livetag.q||[]).push([Date.now(),...arguments])}</script>
 * <script defer src="https://stats.example.com/dist/core.js" data-site="demo"></script>
 * ```
 *
 * `data-site`, `data-url` (the collector's `/e`; beside the script by default), `data-mode` (`required`, `none`),
 * `data-query` (names, with commas), and with any value, as `data-hash="1"`: `data-hash`, `data-canonical`.
 */
import type { Options } from './options.ts'

const script = document.currentScript as HTMLScriptElement

/** The running script's attributes, read while it runs: `currentScript` is gone afterwards. */
export const options = { ...script.dataset } as unknown as Options
options.url ||= `${new URL('e', script.src)}`
