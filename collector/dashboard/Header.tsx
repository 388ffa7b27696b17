import type { Format } from './format.ts'
import { Status } from './Status.tsx'
import type { View } from './session.ts'
import { strings } from './strings.ts'
import { ThemeButton } from './ThemeButton.tsx'

interface HeaderProps {
  view: View
  now: number | null
  words: Format
  onSite(key: string): void
}

/** Which site, how fresh, light or dark, and the way out. */
export function Header({ view, now, words, onSite }: HeaderProps) {
  const sites = view.sites ?? []
  const current = sites.find(site => site.key === view.site)
  return (
    <header class="bar">
      <h1 class="brand">
        <span class="mark" aria-hidden="true" />
        {strings.product} <span class="brand-page">{strings.title}</span>
      </h1>
      <label class="picker">
        <span class="visually-hidden">{strings.site}</span>
        <select
          value={view.site ?? ''}
          disabled={sites.length === 0}
          onChange={event => onSite(event.currentTarget.value)}
        >
          {!current && <option value={view.site ?? ''}>{view.site ?? '–'}</option>}
          {sites.map(site => (
            <option key={site.key} value={site.key}>
              {site.domain ? `${site.key} · ${site.domain}` : site.key}
            </option>
          ))}
        </select>
      </label>
      {current && <span class="tagline">{strings.consentMode[current.consent] ?? current.consent}</span>}
      <Status view={view} now={now} words={words} />
      <ThemeButton />
      {view.link !== 'signed-out' && (
        <form method="post" action="/logout">
          <button class="button" type="submit">
            {strings.signOut}
          </button>
        </form>
      )}
    </header>
  )
}
