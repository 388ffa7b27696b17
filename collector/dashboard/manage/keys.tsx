import { strings } from '../strings.ts'
import { CopyBlock } from '../ui/CopyBlock.tsx'
import { Choice, Field } from '../ui/Field.tsx'
import { Ago } from './Ago.tsx'
import type { Kind } from './Listing.tsx'

interface Key {
  start: string
  name: string
  scope: 'read' | 'write' | 'admin'
  createdAt: string
  usedAt?: string
  /** told once, to who made it */
  key?: string
}

const SCOPES = ['read', 'write', 'admin'] as const

/** API keys of a site. */
export const KEYS: Kind<Key> = {
  path: 'keys',
  takes: 'owner',
  name: ({ start }) => start,
  title: ({ name }) => name,
  named: ({ start }) => ({ start }),
  Row({ one: { start, name, scope, createdAt, usedAt } }) {
    const words = strings.manage.keys
    return (
      <>
        <b>
          <bdi>{name}</bdi>
        </b>
        <p class="note facts">
          <code>{start}…</code>
          <span>{words.scopes[scope]}</span>
          <span>
            {words.created} <Ago at={createdAt} />
          </span>
          <span>{usedAt ? [words.used, ' ', <Ago key="used" at={usedAt} />] : words.unused}</span>
        </p>
      </>
    )
  },
  Fields() {
    const words = strings.manage.keys
    return (
      <>
        <Field name="name" label={words.name} hint={words.nameHint} maxLength={100} />
        <Choice
          name="scope"
          label={words.scope}
          value="read"
          options={SCOPES.map(scope => [scope, words.scopes[scope], words.scopeText[scope]])}
        />
      </>
    )
  },
  read: form => ({ name: form.get('name'), scope: form.get('scope') }),
  at: { 'key-invalid': 'name' },
  Made: ({ made: { name, key = '' } }) => (
    <>
      <h3>
        <bdi>{name}</bdi>
      </h3>
      <p>{strings.manage.keys.once}</p>
      <CopyBlock text={key} />
    </>
  ),
}
