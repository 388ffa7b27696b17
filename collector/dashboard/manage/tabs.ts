/** Which tabs the settings have, and what can be done there by keyboard, for who looks. */
import type { Command } from '../shell/commands.ts'
import type { Shell } from '../shell/context.ts'
import { strings } from '../strings.ts'

type Who = Pick<Shell, 'me' | 'site' | 'may'>

export function tabsFor({ me, site, may }: Who) {
  if (me.kind === 'share') return []
  return [
    ...(site ? (['general', 'goals', 'properties'] as const) : []),
    ...(may('owner') ? (['keys', 'people', 'shares'] as const) : []),
    'account' as const,
  ]
}

/** What can be made, from every view. */
export function makingCommands(shell: Who & Pick<Shell, 'go'>): Command[] {
  const { me, may, go } = shell
  const words = strings.manage
  const lists = may('owner')
    ? (['goals', 'properties', 'keys', 'people', 'shares'] as const)
    : may('editor')
      ? (['goals', 'properties'] as const)
      : []
  return [
    ...(me.owner
      ? [{ id: 'add-site', title: words.site.add, run: () => go({ view: 'sites', params: { add: '1' } }) }]
      : []),
    ...lists.map(tab => ({
      id: `add-${tab}`,
      title: words[tab].add,
      run: () => go({ view: 'settings', params: { tab, add: '1' } }),
    })),
  ]
}
