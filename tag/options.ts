/**
 * The options of one tag, and the place where the running tag keeps them.
 *
 * The collector writes them as JSON into `/t/<site>.js`, the script-tag builds read them from `data-*` attributes and
 * `createTag` takes them as an argument. Nothing is validated here: what is wrong speaks in the console of who loads `/t/<site>.js?debug` (`debug.ts`).
 */
import type { Rule } from './rule.ts'
import type { Purpose } from './types.ts'

export interface Options {
  /** site key */
  site: string
  /** where events go: the collector's `/e`, absolute */
  url: string
  /**
   * What may happen without a consent: `required` (default) lets calls wait in memory; `cookieless` sends them, naming neither
   * visitor nor session, also after a refusal; `none` needs no consent. Anything else acts as `required`, so that a typing
   * error never sends too much.
   */
  mode?: 'required' | 'cookieless' | 'none'
  /** count a change of the URL's fragment as a page view, for routers that live in the fragment */
  hash?: boolean
  /** count a page view under the URL of the page's `<link rel=canonical>`, where there is one */
  canonical?: boolean
  /** query parameters to keep, as they stand in the URL, beside campaigns (`utm_…`), click ids and `ref`; all others are cut off */
  query?: string[] | string
  /** the visitor's id is in a cookie that the collector sets and no script can read: `-` stands for it in envelopes */
  cookie?: 'include'
  /** the TCF purposes that all have to be agreed to, 1 and the statistical ones (8, 9) by default, or their digits as a text; of the capability `tcf` */
  tcfPurposes?: number[] | string
  /** the vendor of IAB's list that has to be agreed to as well, where the site's owner is one; of the capability `tcf` */
  tcfVendor?: number | string
  /** how the site's consent platform calls what stands for measuring: a category, or a service; of the capabilities in `consent/cmp/` */
  category?: string
  /** a purpose that is never granted, whatever is agreed to; the capability `gpc` sets it */
  veto?: Purpose | false | undefined
  /** the share of visitors that is measured, 0–1; needs the capability `sample` */
  sample?: number
  /**
   * other domains of the same owner, with all below them: links and forms that lead there take the visitor's id with them;
   * needs the capability `link`
   */
  link?: string[]
  /** the second file, `vitals.js`, as attributes of its script element; needs the capability `vitals` */
  vitals?: { src: string; integrity?: string; crossOrigin?: string }
  /** the owner's rules; they need the capability `rules` */
  rules?: Rule[]
}

/** The running tag's options. There is one tag in a page, so they need not be passed around. */
export let options: Options

export const setOptions = (chosen: Options): void => {
  options = chosen
}
