import { strings } from '../strings.ts'
import { CopyBlock } from '../ui/CopyBlock.tsx'
import { Field } from '../ui/Field.tsx'
import { Ago } from './Ago.tsx'
import type { Kind } from './Listing.tsx'

interface Share {
  id: string
  name: string
  password: boolean
  embed: boolean
  url: string
  createdAt: string
}

const frame = (url: string) =>
  `<iframe src="${url}" title="Live statistics" width="100%" height="900" style="border:0" loading="lazy"></iframe>`

/** Links by which anybody may look at a site. */
export const SHARES: Kind<Share> = {
  path: 'shares',
  takes: 'owner',
  name: ({ id }) => id,
  title: ({ name }) => name,
  named: ({ id }) => ({ id }),
  Row({ one: { name, password, embed, url, createdAt } }) {
    const words = strings.manage.shares
    return (
      <>
        <b>
          <bdi>{name}</bdi>
        </b>
        <p class="note facts">
          <span>{password ? words.locked : words.open}</span>
          {embed && <span>{words.embedded}</span>}
          <span>
            {words.created} <Ago at={createdAt} />
          </span>
        </p>
        <CopyBlock text={url} />
        {embed && (
          <details>
            <summary>{words.code}</summary>
            <CopyBlock text={frame(url)} />
          </details>
        )}
      </>
    )
  },
  Fields() {
    const words = strings.manage.shares
    return (
      <>
        <Field name="name" label={words.name} hint={words.nameHint} maxLength={100} />
        <Field
          name="password"
          label={words.password}
          hint={words.passwordHint}
          type="password"
          autoComplete="new-password"
          minLength={10}
          maxLength={200}
          required={false}
        />
        <label class="tick">
          <input type="checkbox" name="embed" />
          <span>
            <b>{words.embed}</b> <span class="note">{words.embedHint}</span>
          </span>
        </label>
      </>
    )
  },
  read(form) {
    const password = form.get('password')
    return { name: form.get('name'), embed: form.has('embed'), ...(password && { password }) }
  },
  at: { 'share-invalid': 'name', 'password-invalid': 'password' },
}
