/**
 * The tag from npm: `createTag(options)` has the methods of the script's global, and capabilities are imports, so that a
 * bundler leaves out what a site does not use.
 *
 * ```ts
 * import { createTag, rules } from 'livetag'
 * const tag = createTag({ site: 'demo', url: 'https://stats.example.com/e' }, [rules])
 * tag.track('signup', { plan: 'pro' })
 * ```
 */
import { type Calls, type Capability, type EventMap, type Options, start, type TypedCalls } from './core.ts'

export * from '../consent/index.ts'
export { engagement } from './engagement.ts'
export { errors } from './errors.ts'
export { forms } from './forms.ts'
export { link } from './link.ts'
export { media } from './media.ts'
export { offline } from './offline.ts'
export type { Options } from './options.ts'
export { optOut } from './optout.ts'
export type { Rule, Source } from './rule.ts'
export { rules } from './rules.ts'
export { sample } from './sample.ts'
export { tabs } from './tabs.ts'
// All of them, as only so a site can add to `EventMap`.
export type * from './types.ts'
export { urls } from './urls.ts'
export { vitals } from './vitals.ts'
export type { BuiltInProps } from './wire.ts'

const nothing = () => {}

/** What a server gets while it renders: calls that do nothing. */
const silent: Calls = {
  track: nothing,
  page: nothing,
  identify: nothing,
  set: nothing,
  grant: nothing,
  deny: nothing,
  onConsent: nothing,
  flush: nothing,
}

/**
 * Starts the tag in a browser, once a page: a second call returns the running one. Never throws. `Events` are the site's own
 * events and their properties, where they are not declared for all (`EventMap`).
 */
export const createTag = <Events = EventMap>(options: Options, capabilities: Capability[] = []): TypedCalls<Events> =>
  ((typeof window !== 'undefined' && start(options, capabilities)) || silent) as TypedCalls<Events>
