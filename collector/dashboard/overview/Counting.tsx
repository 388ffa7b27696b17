import { useShell } from '../shell/context.ts'
import { useNow } from '../shell/store.ts'
import { strings } from '../strings.ts'
import type { Asked, Screen } from './screen.ts'

interface CountingProps {
  of(id: string): Asked
  ids: readonly string[]
  screen: Screen
}

/** After this, ms, a question is said to be still on its way. */
const SLOW = 1_000

/**
 * Filters may ask for visits to be counted one by one: that it takes so long is said, and it can be stopped. Where an estimate
 * stands for good then, or since counting has failed, that is said, too.
 */
export function Counting({ of, ids, screen }: CountingProps) {
  const { words } = useShell()
  useNow(500)
  const all = ids.map(of)
  const since = Math.min(
    ...all.map(({ answer, since }) => (answer === null && since !== null ? since : Number.POSITIVE_INFINITY)),
  )
  const left = all.find(({ estimate, since }) => estimate && since === null)
  const waited = performance.now() - since
  return (
    <div class="counting" role="status">
      {waited > SLOW ? (
        <>
          {/* Announced once, not each second. */}
          <span aria-live="off">{strings.overview.counting(words.duration(Math.floor(waited / 1_000) * 1_000))}</span>
          <button type="button" class="button small" onClick={screen.stop}>
            {strings.overview.stop}
          </button>
        </>
      ) : (
        left && (
          <>
            {left.isStopped ? strings.overview.stopped : `${strings.overview.failed} ${left.problem?.title}`}
            <button type="button" class="button small" onClick={() => screen.again('failed')}>
              {strings.overview.again}
            </button>
          </>
        )
      )}
    </div>
  )
}
