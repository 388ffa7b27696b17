import { strings } from '../strings.ts'
import { CopyBlock } from '../ui/CopyBlock.tsx'
import { snippets } from './snippets.ts'
import type { LiveState } from './state.ts'

/** Before the first event: exactly what to paste, and where. */
export function Empty({ site, origin }: { site: LiveState['site']; origin: string }) {
  const { empty } = strings
  const code = snippets(origin, site.key)
  const asks = site.consent === 'required'
  return (
    <section class="empty" aria-labelledby="empty-title">
      <div class="empty-head">
        <span class="pulse" aria-hidden="true" />
        <h2 id="empty-title">{empty.title(site.domain || site.key)}</h2>
        <p>{empty.lead}</p>
      </div>
      <ol class="steps">
        <li class="panel">
          <h3>{empty.tagTitle}</h3>
          <p>{empty.tagText}</p>
          <CopyBlock text={code.tag} />
        </li>
        {asks && (
          <li class="panel">
            <h3>{empty.consentTitle}</h3>
            <p>{empty.consentText}</p>
            <CopyBlock text={code.consent} />
          </li>
        )}
        <li class="panel">
          <h3>{empty.eventTitle}</h3>
          <p>{empty.eventText}</p>
          <CopyBlock text={code.event} />
        </li>
        <li class="panel">
          <h3>{empty.pixelTitle}</h3>
          <p>{asks ? empty.pixelConsent : empty.pixelText}</p>
          <CopyBlock text={code.pixel} />
        </li>
      </ol>
      <p class="empty-demo">
        {empty.demo} <a href="/demo/">{empty.demoLink}</a>. {empty.demoSite} <a href="/live?site=demo">demo</a>.
      </p>
    </section>
  )
}
