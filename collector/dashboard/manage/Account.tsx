import { useState } from 'preact/hooks'
import { BASE } from '../shell/base.ts'
import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { Ask } from '../ui/Ask.tsx'
import { Field } from '../ui/Field.tsx'
import { Form } from '../ui/Form.tsx'
import { say } from '../ui/Said.tsx'

const password = { type: 'password', minLength: 10, maxLength: 200 } as const

/** One's own account; who came by the owner's link makes one. */
export function Account() {
  const { api, me, refresh } = useShell()
  const { account: words, tabs, saved } = strings.manage
  const [asking, ask] = useState(false)
  // Another key empties the form after its passwords were taken.
  const [changes, changed] = useState(0)
  const created = me.email !== null
  return (
    <section aria-labelledby="account-title" class="listing">
      <div class="panel-head">
        <h2 id="account-title">{tabs.account}</h2>
      </div>
      {!created && <p class="lead">{words.none}</p>}
      <div class="panel block">
        <h3>{created ? words.change : words.make}</h3>
        <Form
          key={changes}
          act={created ? words.change : words.make}
          at={{
            'password-wrong': 'old',
            'password-invalid': 'new',
            'email-invalid': 'email',
            'account-exists': 'email',
          }}
          send={async form => {
            const text = (name: string) => String(form.get(name))
            const answer = created
              ? await api.send('POST', 'account/password', {}, { old: text('old'), new: text('new') })
              : await api.send('POST', 'account', {}, { email: text('email'), password: text('new') })
            if (answer.ok) {
              say(created ? words.changed : saved)
              changed(changes + 1)
              await refresh()
            }
            return answer
          }}
        >
          <Field
            name="email"
            label={words.email}
            type="email"
            autoComplete="username"
            maxLength={254}
            defaultValue={me.email ?? ''}
            readOnly={created}
          />
          {created && (
            <Field name="old" label={words.old} type="password" autoComplete="current-password" maxLength={200} />
          )}
          <Field
            name="new"
            label={created ? words.new : words.password}
            hint={words.passwordHint}
            autoComplete="new-password"
            {...password}
          />
        </Form>
      </div>
      <div class="panel block">
        <h3>{words.out}</h3>
        <p class="lead">{words.outText}</p>
        <p class="form-end">
          <button type="button" class="button" onClick={() => ask(true)}>
            {words.out}
          </button>
        </p>
      </div>
      {asking && (
        <Ask
          title={`${words.out}?`}
          text={words.outWill}
          act={words.out}
          grave
          onCancel={() => ask(false)}
          send={async () => {
            const answer = await api.send('POST', 'account/sign-out-everywhere')
            if (answer.ok) location.assign(`${BASE}login`)
            return answer
          }}
        />
      )}
    </section>
  )
}
