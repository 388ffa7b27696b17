import { useEffect, useState } from 'preact/hooks'
import { strings } from '../strings.ts'

const chosen = () => document.documentElement.dataset.theme ?? 'auto'

/** Shows the theme and lets `theme.ts` step through the three. */
export function ThemeButton() {
  const [theme, setTheme] = useState(chosen)
  useEffect(() => {
    const changed = () => setTheme(chosen())
    document.addEventListener('themechange', changed)
    return () => document.removeEventListener('themechange', changed)
  }, [])
  const name = strings.theme[theme] ?? theme
  return (
    <button
      type="button"
      class={`button theme theme-${theme}`}
      data-theme-button
      aria-label={`${strings.themeLabel}: ${name}`}
    >
      <span class="theme-icon" aria-hidden="true" />
      <span class="theme-name">{name}</span>
    </button>
  )
}
