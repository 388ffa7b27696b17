import { useEffect, useRef } from 'preact/hooks'
import { snippets } from '../live/snippets.ts'
import { BASE } from '../shell/base.ts'
import { useShell } from '../shell/context.ts'
import { Link } from '../shell/Link.tsx'
import type { Site } from '../shell/me.ts'
import { strings } from '../strings.ts'
import { CopyBlock } from '../ui/CopyBlock.tsx'
import { Arrival } from './Arrival.tsx'

/** What to paste into the site's pages, and whether anything comes of it. */
export function Install({ site }: { site: Site }) {
  const { may } = useShell()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  const { install, site: siteWords } = strings.manage
  const { empty } = strings
  const code = snippets(location.origin + BASE.replace(/\/$/, ''), site.key, site.consent)
  const asks = site.consent === 'required'
  return (
    <section class="empty" aria-labelledby="install-title">
      <div class="empty-head plain">
        <h2 id="install-title" ref={heading} tabIndex={-1}>
          {install.title} <bdi>{site.domain || site.key}</bdi>
        </h2>
        <Link to={{ params: {} }}>{siteWords.all}</Link>
      </div>
      <ol class="steps">
        <Step title={empty.tagTitle} text={empty.tagText} code={code.tag} />
        {asks && <Step title={empty.consentTitle} text={empty.consentText} code={code.consent} />}
      </ol>
      <Arrival code={code} />
      <details class="panel block">
        <summary>{install.more}</summary>
        <ul class="ways">
          <Step title={install.stubTitle} text={install.stubText} code={code.stub} />
          <Step title={empty.eventTitle} text={empty.eventText} code={code.event} />
          <Step title={empty.pixelTitle} text={asks ? empty.pixelConsent : empty.pixelText} code={code.pixel} />
          <Step title={install.npmTitle} text={install.npmText} code={code.npm} />
        </ul>
      </details>
      <p class="form-end">
        {may('editor') && (
          <Link class="button" to={{ view: 'settings', params: { tab: 'goals', add: '1' } }}>
            {strings.manage.goals.add}
          </Link>
        )}
        <Link class="button" to={{ view: 'live', params: {} }}>
          {strings.shell.goTo(strings.shell.views.live ?? '')}
        </Link>
      </p>
    </section>
  )
}

function Step({ title, text, code }: { title: string; text: string; code: string }) {
  return (
    <li class="panel">
      <h3>{title}</h3>
      <p>{text}</p>
      <CopyBlock text={code} />
    </li>
  )
}
