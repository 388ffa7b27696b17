import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { MINUTES } from './signs.ts'

/** A site's page views of the last half hour: their number, and a bar a minute. */
export function Sign({ views }: { views: readonly number[] | undefined }) {
  const { words } = useShell()
  const sum = views?.reduce((all, n) => all + n, 0)
  const most = Math.max(1, ...(views ?? []))
  return (
    <p class={sum ? 'sign alive' : 'sign'}>
      <svg viewBox={`0 0 ${MINUTES} 10`} preserveAspectRatio="none" aria-hidden="true">
        <path d={views?.map((n, i) => (n ? `M${i + 0.5} 10v${-Math.max(1, (10 * n) / most)}` : '')).join('') ?? ''} />
      </svg>
      <span class="note">{sum === undefined ? '…' : strings.manage.site.sign(sum, words.count(sum))}</span>
    </p>
  )
}
