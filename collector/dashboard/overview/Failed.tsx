import { strings } from '../strings.ts'
import type { Asked } from './screen.ts'

/** Why there is no answer, and what to do about it. */
export function Failed({ asked: { problem, isStopped }, onAgain }: { asked: Asked; onAgain(): void }) {
  const { stopped, failed, again } = strings.overview
  return (
    <div class="failed" role="status">
      <p>
        <b>{isStopped ? stopped : failed}</b> {!isStopped && problem?.title} {!isStopped && problem?.detail}
      </p>
      <button type="button" class="button small" onClick={onAgain}>
        {again}
      </button>
    </div>
  )
}
