import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { Form } from '../ui/Form.tsx'
import { say } from '../ui/Said.tsx'
import { readSite, SiteFields } from './SiteFields.tsx'

/** The site itself: changed by editors, shown to others. */
export function General() {
  const { api, site, may, refresh } = useShell()
  const { site: words, tabs, save, saved } = strings.manage
  if (!site) return null
  const { key, domain, consent, timezone } = site
  const facts = [
    [words.key, key],
    [words.domain, domain],
    [words.consent, strings.consentMode[consent] ?? consent],
    [words.timezone, timezone],
  ]
  return (
    <section aria-labelledby="general-title" class="listing">
      <div class="panel-head">
        <h2 id="general-title">{tabs.general}</h2>
      </div>
      <p class="lead">{words.changing}</p>
      <div class="panel block">
        {may('editor') ? (
          <Form
            act={save}
            send={async form => {
              const answer = await api.send('PATCH', 'sites', { site: key }, readSite(form))
              if (answer.ok) {
                say(saved)
                await refresh()
              }
              return answer
            }}
          >
            <SiteFields domain={domain} consent={consent} timezone={timezone} />
          </Form>
        ) : (
          <dl class="values">
            {facts.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <bdi>{value}</bdi>
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </section>
  )
}
