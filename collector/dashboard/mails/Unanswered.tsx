import { isPassing } from '../shell/api.ts'
import { useShell } from '../shell/context.ts'
import { NoticeBox } from '../shell/Notice.tsx'
import { strings } from '../strings.ts'
import type { Asked } from './asking.ts'

/** What stands there until there is an answer: shapes, or why there is none and what to do; and what is not new any more. */
export function Unanswered({ asked: { body, at, failed, again } }: { asked: Asked<unknown> }) {
  const { words } = useShell()
  const text = strings.mails
  if (!failed)
    return body === undefined ? (
      <div class="panel mails-ghost ghost" aria-busy="true">
        <p class="visually-hidden">{strings.loading}</p>
      </div>
    ) : null
  const { problem, since } = failed
  return (
    <NoticeBox title={body === undefined ? text.failed : text.stale(words.time(since), words.time(at))} quiet>
      <p>
        {problem.title} {isPassing(problem) && text.again}
      </p>
      <button type="button" class="button small" onClick={again}>
        {strings.overview.again}
      </button>
    </NoticeBox>
  )
}
