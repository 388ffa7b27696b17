/**
 * Klaro: its consent manager, https://klaro.org/docs/api/js_api, as of version 0.7.
 *
 * What is switched in an open dialog is in `consents` at once, and in `savedConsents` when it is confirmed.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { appear } from '../appear.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

interface Manager {
  confirmed: boolean
  savedConsents: Record<string, boolean | undefined>
  watch(watcher: { update(manager: Manager): void }): void
}

/** The service is the one named `livetag`, unless the site's `category` says otherwise. */
export const klaro = () => {
  const update = ({ confirmed, savedConsents }: Manager) => {
    const saved = savedConsents[options.category ?? 'livetag']
    decide(CMP, confirmed && saved !== undefined && (saved ? AGREED : []), 'klaro')
  }
  // Throws until Klaro knows its configuration.
  appear(
    () => (window as unknown as { klaro: { getManager(): Manager } }).klaro.getManager(),
    manager => {
      manager.watch({ update })
      update(manager)
    },
  )
}
