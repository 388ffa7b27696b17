/** What every view is given: where it is, who looks, and how to ask. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Watching } from '../live/session.ts'
import type { Format } from '../ui/format.ts'
import type { Address } from './address.ts'
import type { Api } from './api.ts'
import type { Commands } from './commands.ts'
import type { Me, Role, Site } from './me.ts'

export interface Shell {
  address: Address
  /** Shows something else, as another entry of the browser's history unless it replaces this one. */
  go(change: Partial<Address>, replace?: boolean): void
  /** The address after that change. */
  href(change: Partial<Address>): string
  api: Api
  me: Me
  /** the site that is shown; null where there is none at all */
  site: Site | null
  /** whether whoever looks may do what takes this role on the site */
  may(role: Role): boolean
  /** Asks again who looks: after a site was made, for example. */
  refresh(): Promise<void>
  /** numbers and times as the reader writes them, in the site's zone */
  words: Format
  /** the site's live stream */
  watching: Watching
  commands: Commands
}

export const ShellContext = createContext<Shell | null>(null)

export function useShell(): Shell {
  const shell = useContext(ShellContext)
  if (!shell) throw new Error('a view stands outside of the shell')
  return shell
}
