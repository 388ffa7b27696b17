import { useEffect, useRef, useState } from 'preact/hooks'
import { useShell } from '../shell/context.ts'
import type { Site } from '../shell/me.ts'
import { strings } from '../strings.ts'
import { Field } from '../ui/Field.tsx'
import { Form } from '../ui/Form.tsx'
import { readSite, SiteFields } from './SiteFields.tsx'
import { keyFor } from './site-text.ts'

/** Makes a site; what to paste comes next. */
export function AddSite() {
  const { api, me, go, refresh } = useShell()
  const words = strings.manage.site
  const box = useRef<HTMLDivElement>(null)
  const [key, setKey] = useState('')
  const [own, setOwn] = useState(false)
  const taken = me.sites.map(site => site.key)
  useEffect(() => box.current?.querySelector('input')?.focus(), [])
  const send = async (form: FormData) => {
    const answer = await api.send<Site>('POST', 'sites', {}, { key: form.get('key'), ...readSite(form) })
    if (answer.ok) {
      await refresh()
      go({ site: answer.body.key, params: { install: '1' } }, true)
    }
    return answer
  }
  return (
    <div class="panel block" ref={box}>
      <h2>{words.add}</h2>
      <Form
        act={words.add}
        send={send}
        at={{ 'site-exists': 'key' }}
        {...(taken.length > 0 && { onCancel: () => go({ params: {} }) })}
      >
        <SiteFields
          domain=""
          consent="required"
          timezone={Intl.DateTimeFormat().resolvedOptions().timeZone}
          onDomain={host => own || setKey(keyFor(host, taken))}
        />
        <Field
          name="key"
          label={words.key}
          hint={words.keyHint}
          value={key}
          onText={text => {
            setOwn(text !== '')
            setKey(text)
          }}
          pattern="[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}"
          title={words.keyWrong}
          maxLength={64}
          dir="ltr"
        />
      </Form>
    </div>
  )
}
