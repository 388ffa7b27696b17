import type { ComponentChildren } from 'preact'
import { strings } from '../strings.ts'
import { VIEWS, type ViewName } from './address.ts'
import { BASE } from './base.ts'
import { useShell } from './context.ts'
import { Link } from './Link.tsx'
import { Notice } from './Notice.tsx'
import { Status } from './Status.tsx'
import { ThemeButton } from './ThemeButton.tsx'

interface FrameProps {
  onPalette(): void
  children: ComponentChildren
}

/** Around every view: which site, which view, how fresh, light or dark, and the way out. */
export function Frame({ onPalette, children }: FrameProps) {
  const { address, me } = useShell()
  return (
    <>
      <a class="skip" href="#main">
        {strings.skip}
      </a>
      <header class="bar">
        <h1 class="brand">
          <span class="mark" aria-hidden="true" />
          {strings.product} <span class="visually-hidden">{strings.shell.views[address.view]}</span>
        </h1>
        <SitePicker />
        <nav class="views" aria-label={strings.shell.nav}>
          {viewsFor(me.kind === 'share').map(view => (
            <Link key={view} to={{ view, params: {} }} aria-current={view === address.view ? 'page' : undefined}>
              {strings.shell.views[view]}
            </Link>
          ))}
        </nav>
        <Status />
        <button
          type="button"
          class="button"
          onClick={onPalette}
          aria-label={`${strings.shell.commands} ?`}
          aria-keyshortcuts="Control+K Meta+K ?"
        >
          <span class="palette-name">{strings.shell.commands}</span>
          <kbd>?</kbd>
        </button>
        <ThemeButton />
        {me.kind !== 'share' && (
          <form method="post" action={`${BASE}logout`}>
            <button class="button" type="submit" title={me.email ?? undefined}>
              {strings.signOut}
            </button>
          </form>
        )}
      </header>
      <main id="main" tabIndex={-1}>
        <Notice />
        <div class={`page page-${address.view}`}>{children}</div>
      </main>
    </>
  )
}

export const viewsFor = (shared: boolean): readonly ViewName[] => (shared ? ['overview', 'live', 'mails'] : VIEWS)

function SitePicker() {
  const { me, site, go } = useShell()
  if (me.kind === 'share') return <b class="shared-site">{site?.domain}</b>
  return (
    <label class="picker">
      <span class="visually-hidden">{strings.site}</span>
      <select
        value={site?.key ?? ''}
        disabled={me.sites.length === 0}
        onChange={event => go({ site: event.currentTarget.value, params: {} })}
      >
        {!site && <option value="">–</option>}
        {me.sites.map(({ key, domain }) => (
          <option key={key} value={key}>
            {domain ? `${key} · ${domain}` : key}
          </option>
        ))}
      </select>
    </label>
  )
}
