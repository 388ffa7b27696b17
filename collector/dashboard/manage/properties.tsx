import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { Field } from '../ui/Field.tsx'
import { Ago } from './Ago.tsx'
import type { Kind } from './Listing.tsx'

interface Property {
  name: string
  since: string
}

/** Properties by whose values events are counted. */
export const PROPERTIES: Kind<Property> = {
  path: 'properties',
  takes: 'editor',
  name: ({ name }) => name,
  title: ({ name }) => name,
  named: ({ name }) => ({ name }),
  Row: ({ one: { name, since } }) => (
    <>
      <b>
        <bdi>{name}</bdi>
      </b>
      <p class="note">
        {strings.manage.properties.since} <Ago at={since} />
      </p>
    </>
  ),
  Fields({ list }) {
    const { watching } = useShell()
    const seen = (watching.view.get().live?.recent ?? []).flatMap(({ properties = {} }) => Object.keys(properties))
    const words = strings.manage.properties
    return (
      <Field
        name="name"
        label={words.name}
        hint={words.nameHint}
        placeholder="plan"
        pattern="(?!\$)[^.]*"
        title={words.nameWrong}
        maxLength={100}
        proposed={[...new Set(seen)].filter(name => !list.some(one => one.name === name))}
      />
    )
  },
  read: form => ({ name: form.get('name') }),
  at: { 'property-exists': 'name', 'property-invalid': 'name' },
}
