import { useState } from 'preact/hooks'
import { strings } from '../strings.ts'
import type { Api } from './api.ts'

interface SharePasswordProps {
  api: Api
  share: string
  onTicket(ticket: string): void
}

/** A shared link that wants its password first. */
export function SharePassword({ api, share, onTicket }: SharePasswordProps) {
  const [wrong, setWrong] = useState('')
  const [busy, setBusy] = useState(false)
  const words = strings.shell.sharePassword
  const send = async (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault()
    const password = String(new FormData(event.currentTarget).get('password'))
    setBusy(true)
    const answer = await api.send<{ ticket: string }>('POST', 'share-tickets', {}, { share, password })
    setBusy(false)
    if (answer.ok) onTicket(answer.body.ticket)
    else setWrong(answer.problem.code === 'share-password-wrong' ? words.wrong : answer.problem.title)
  }
  return (
    <main id="main" class="ask">
      <form class="panel ask-box" onSubmit={send}>
        <h1>{words.title}</h1>
        {wrong && (
          <p class="error" role="alert" id="ask-error">
            {wrong}
          </p>
        )}
        <label class="field-label">
          {words.label}
          <input
            class="field"
            name="password"
            type="password"
            autoComplete="off"
            required
            aria-describedby={wrong ? 'ask-error' : undefined}
          />
        </label>
        <button class="button primary" type="submit" disabled={busy}>
          {words.open}
        </button>
      </form>
    </main>
  )
}
