/**
 * Options for a tag that is used as a file by itself:
 *
 * ```html
 * <script>window.livetag=window.livetag||function(){(livetag.q=livetag.q||[]).push([Date.now(),...arguments])}</script>
 * <script defer src="https://stats.example.com/dist/core.js" data-site="demo"></script>
 * ```
 *
 * `data-site`, `data-to` (the collector's `/e`; beside the script by default), `data-mode` (`required`, `none`),
 * `data-hash` and `data-debug` (with any value, as `data-hash="1"`).
 */
import { document } from './globals.ts'
import type { Options } from './options.ts'

/** Reads the running script's attributes; call it while the script runs, as `currentScript` is gone afterwards. */
export const readOptions = (): Options => {
  const { dataset, src } = document.currentScript as HTMLScriptElement
  return { ...dataset, url: new URL(dataset.to || 'e', src).href } as unknown as Options
}
