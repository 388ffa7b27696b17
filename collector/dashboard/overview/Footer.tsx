import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { type Asked, shownOf } from './screen.ts'
import { percentText } from './words.ts'

/** How fresh the numbers are, and how they were made. */
export function Footer({ asked }: { asked: Asked }) {
  const { words } = useShell()
  const answer = shownOf(asked)
  if (!answer) return <p class="origin" />
  const { fresh, took, sources, exact, approx, visitorsError, pending, zone } = strings.overview
  const { meta } = answer
  const parts = [
    fresh(words.time(Date.parse(meta.fresh))),
    `${sources[meta.source]} ${took(words.duration(meta.ms))}`,
    meta.error ? (asked.estimate ? approx : visitorsError)(percentText(meta.error * 100)) : meta.exact ? exact : '',
    meta.pending ? pending(words.count(meta.pending)) : '',
    zone(meta.timezone),
  ]
  return <p class="origin note">{parts.filter(Boolean).join(' · ')}</p>
}
