import { useState } from 'preact/hooks'
import { useShell } from '../shell/context.ts'
import { ROLES, type Role } from '../shell/me.ts'
import { strings } from '../strings.ts'
import { Ask } from '../ui/Ask.tsx'
import { CopyBlock } from '../ui/CopyBlock.tsx'
import { Choice, Field } from '../ui/Field.tsx'
import { problemText } from '../ui/Form.tsx'
import { say } from '../ui/Said.tsx'
import { Ago } from './Ago.tsx'
import type { Kind, RowProps } from './Listing.tsx'

interface Person {
  email: string
  role: Role
  joined: boolean
  createdAt: string
  /** link for who has no account yet, told once */
  invite?: string
}

/** Who may see and change a site. */
export const PEOPLE: Kind<Person> = {
  path: 'people',
  takes: 'owner',
  name: ({ email }) => email,
  title: ({ email }) => email,
  named: ({ email }) => ({ email }),
  Row({ one: { email, role, joined, createdAt } }) {
    const { me } = useShell()
    const { people: words, roles } = strings.manage
    return (
      <>
        <b>
          <bdi>{email}</bdi> {email === me.email && <span class="note">{words.you}</span>}
        </b>
        <p class="note facts">
          <span>{roles[role]}</span>
          <span class={joined ? undefined : 'waits'}>
            {joined ? words.joined : words.waits} <Ago at={createdAt} />
          </span>
        </p>
      </>
    )
  },
  Tools,
  Fields: () => (
    <>
      <Field name="email" label={strings.manage.account.email} type="email" maxLength={254} />
      <RoleChoice now="viewer" />
    </>
  ),
  read: form => ({ email: form.get('email'), role: form.get('role') }),
  at: { 'email-invalid': 'email', 'person-exists': 'email' },
  Made({ made: { email, invite } }) {
    const words = strings.manage.people
    return (
      <>
        <h3>
          <bdi>{email}</bdi>
        </h3>
        <p>{invite === undefined ? words.atOnce : words.handOn}</p>
        {invite !== undefined && <CopyBlock text={invite} />}
      </>
    )
  },
}

function RoleChoice({ now }: { now: Role }) {
  const { role: label, roles, roleText } = strings.manage
  return <Choice name="role" label={label} value={now} options={ROLES.map(one => [one, roles[one], roleText[one]])} />
}

function Tools({ one: { email, role, joined }, reload, show }: RowProps<Person>) {
  const { api, site, me, refresh } = useShell()
  const [asking, ask] = useState(false)
  const { people: words, save, saved } = strings.manage
  const params = { site: site?.key ?? '' }
  const again = async () => {
    const answer = await api.send<Person>('POST', 'people', params, { email, role })
    if (answer.ok) show(answer.body)
    else say(problemText(answer.problem))
  }
  return (
    <>
      {!joined && (
        <button type="button" class="button" aria-label={`${words.again} ${email}`} onClick={again}>
          {words.again}
        </button>
      )}
      <button type="button" class="button" aria-label={`${words.change} ${email}`} onClick={() => ask(true)}>
        {words.change}
      </button>
      {asking && (
        <Ask
          title={`${words.change}: ${email}`}
          {...(email === me.email && { text: words.own })}
          act={save}
          onCancel={() => ask(false)}
          send={async form => {
            const answer = await api.send('PATCH', 'people', { ...params, email }, { role: form.get('role') })
            if (answer.ok) {
              say(saved)
              ask(false)
              reload()
              if (email === me.email) await refresh()
            }
            return answer
          }}
        >
          <RoleChoice now={role} />
        </Ask>
      )}
    </>
  )
}
