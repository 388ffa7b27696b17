import { strings } from '../strings.ts'
import type { Asked } from './screen.ts'
import { percentText } from './words.ts'

/** Marks what is shown before it is counted. It takes no room: nothing moves when the answer comes. */
export function Estimated({ asked: { estimate, since, isStopped } }: { asked: Asked }) {
  if (!estimate) return null
  const { approx, beingCounted, stopped, failed } = strings.overview
  const why = since !== null ? beingCounted : isStopped ? stopped : failed
  const text = `${approx(percentText((estimate.meta.error ?? 0) * 100))}. ${why}`
  return (
    <span class="estimated" role="img" aria-label={text} title={text}>
      ≈
    </span>
  )
}
