import { useShell } from '../shell/context.ts'
import { useNow } from '../shell/store.ts'
import { strings } from '../strings.ts'
import type { Asked } from './screen.ts'

interface CountingProps {
  of(id: string): Asked
  ids: readonly string[]
  onStop(): void
}

/** After this, ms, a question is said to be still on its way. */
const SLOW = 1_000

/** Filters may ask for visits to be counted one by one: that it takes so long is said, and it can be stopped. */
export function Counting({ of, ids, onStop }: CountingProps) {
  const { words } = useShell()
  useNow(500)
  const since = Math.min(
    ...ids.map(of).map(({ answer, since }) => (answer === null && since !== null ? since : Number.POSITIVE_INFINITY)),
  )
  const waited = performance.now() - since
  return (
    <div class="counting" role="status">
      {waited > SLOW && (
        <>
          {/* Announced once, not each second. */}
          <span aria-live="off">{strings.overview.counting(words.duration(Math.floor(waited / 1_000) * 1_000))}</span>
          <button type="button" class="button small" onClick={onStop}>
            {strings.overview.stop}
          </button>
        </>
      )}
    </div>
  )
}
