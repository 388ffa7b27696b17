import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'

interface TabsProps {
  label: string
  /** id and title of each */
  tabs: readonly (readonly [id: string, title: string])[]
  at: string
  /** @param byKey of several tabs that the arrow keys run through */
  onPick(id: string, byKey: boolean): void
  children: ComponentChildren
}

const tabId = (id: string) => `tab-${id}`

/** Tabs by the ARIA pattern: one stop of the tab key, arrow keys go from one to the next and show it. */
export function Tabs({ label, tabs, at, onPick, children }: TabsProps) {
  // On a phone the list is wider than the screen.
  useEffect(() => document.getElementById(tabId(at))?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [at])
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
            aria-controls="tab-panel"
            tabIndex={id === at ? 0 : -1}
            onClick={() => onPick(id, false)}
          >
            {title}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={tabId(at)}>
        {children}
      </div>
    </>
  )
}
