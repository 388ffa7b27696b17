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
import { type Calls, type Capability, type Options, start } from './core.ts'

export * from '../consent/index.ts'
export type { Calls, Capability, LiveTag, Options, Props, Purpose, Tag, TrackOptions } from './core.ts'
export { offline } from './offline.ts'
export { optOut } from './optout.ts'
export type { Rule, Source } from './rule.ts'
export { rules } from './rules.ts'
export { tabs } from './tabs.ts'
export { urls } from './urls.ts'

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

/** Starts the tag in a browser, once a page: a second call returns the running one. Never throws. */
export const createTag = (options: Options, capabilities: Capability[] = []): Calls =>
  (typeof window !== 'undefined' && start(options, capabilities)) || silent
