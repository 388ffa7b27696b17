/**
 * The format of a rule: what starts it, which element it is about, what event it makes.
 *
 * Rules are data. The built-in ones are written in this format in `rules.ts`; an owner's rules arrive as JSON in the options.
 */

/**
 * Where a value comes from, and which one: `['attr', 'href']` is the element's attribute, `['is', 25]` the constant 25,
 * and `[]` the source of the property's own name.
 * The sources are listed in `rules.ts`; none of them reads what a visitor typed.
 */
export type Source = [from?: string, key?: string | number]

export interface Rule {
  /**
   * what starts it: `scroll`, or `seen` (half of an element, or half a screen of a tall one, is in view: once an element),
   * or the name of any DOM event, which is seen in the capture phase
   */
  on: string
  /** CSS selector; the innermost element of the event's composed path that matches is what the rule is about */
  select?: string
  /** for `scroll`: the per cent of the page that must have been in view, 0–100; such a rule fires once a page view */
  value?: number
  /** name of the event that it makes; empty for the one in the element's `data-lt-event` */
  name: string
  /** its properties, beside the element's own `data-lt-…`; one whose source has nothing is left out */
  props?: Record<string, Source>
}
