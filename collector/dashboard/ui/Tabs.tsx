import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'

interface TabsProps {
  label: string
  /** id and title of each */
  tabs: readonly (readonly [id: string, title: string])[]
  at: string
  /** @param byKey of several tabs that the arrow keys run through */
  onPick(id: string, byKey: boolean): void
  /** begins the ids, where there are others on the page */
  name?: string
  /** stands between the tabs and what they show */
  beside?: ComponentChildren
  children: ComponentChildren
}

/** Tabs by the ARIA pattern: one stop of the tab key, arrow keys go from one to the next and show it. */
export function Tabs({ label, tabs, at, onPick, name = 'tab', beside, children }: TabsProps) {
  const tabId = (id: string) => `${name}-${id}`
  // On a phone the list is wider than the screen.
  useEffect(() => {
    const tab = document.getElementById(tabId(at))
    const list = tab?.parentElement
    // Nothing else is scrolled to it.
    if (list && list.scrollWidth > list.clientWidth) tab.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [at])
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
    const now = tabs.findIndex(([id]) => id === at)
    const forward = getComputedStyle(event.currentTarget).direction === 'rtl' ? -1 : 1
    const next = { ArrowRight: now + forward, ArrowLeft: now - forward, Home: 0, End: -1 }[event.key]
    const [id] = (next !== undefined && tabs.at(next % tabs.length)) || []
    if (id === undefined) return
    event.preventDefault()
    onPick(id, true)
    document.getElementById(tabId(id))?.focus()
  }
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(([id, title]) => (
          <button
            key={id}
            id={tabId(id)}
            type="button"
            role="tab"
            aria-selected={id === at}
            aria-controls={`${name}-panel`}
            tabIndex={id === at ? 0 : -1}
            onClick={() => onPick(id, false)}
          >
            {title}
          </button>
        ))}
      </div>
      {beside}
      <div id={`${name}-panel`} role="tabpanel" class="tab-panel" aria-labelledby={tabId(at)}>
        {children}
      </div>
    </>
  )
}
