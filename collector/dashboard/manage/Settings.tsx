import type { ComponentChildren } from 'preact'
import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { Said } from '../ui/Said.tsx'
import { Tabs } from '../ui/Tabs.tsx'
import { Account } from './Account.tsx'
import { General } from './General.tsx'
import { GOALS } from './goals.tsx'
import { KEYS } from './keys.tsx'
import { Listing } from './Listing.tsx'
import { PEOPLE } from './people.tsx'
import { PROPERTIES } from './properties.tsx'
import { SHARES } from './shares.tsx'
import { tabsFor } from './tabs.ts'

const PANEL: Readonly<Record<ReturnType<typeof tabsFor>[number], () => ComponentChildren>> = {
  general: () => <General />,
  goals: () => <Listing kind={GOALS} />,
  properties: () => <Listing kind={PROPERTIES} />,
  keys: () => <Listing kind={KEYS} />,
  people: () => <Listing kind={PEOPLE} />,
  shares: () => <Listing kind={SHARES} />,
  account: () => <Account />,
}

/** One site's settings: goals, keys, people, shared links; and one's own account. */
export function Settings() {
  const shell = useShell()
  const { tab: asked } = shell.address.params
  const tabs = tabsFor(shell)
  const at = tabs.find(tab => tab === asked) ?? tabs[0]
  if (at === undefined) return null
  const Panel = PANEL[at]
  return (
    <div class="settings">
      <Tabs
        label={strings.shell.views.settings ?? ''}
        tabs={tabs.map(tab => [tab, strings.manage.tabs[tab]])}
        at={at}
        onPick={(tab, byKey) => shell.go({ params: { tab } }, byKey)}
      >
        <Panel key={at} />
      </Tabs>
      <Said />
    </div>
  )
}
