import { useRef, useState } from 'preact/hooks'
import type { snippets } from '../live/snippets.ts'
import { useShell } from '../shell/context.ts'
import { useNow, useStore } from '../shell/store.ts'
import { strings } from '../strings.ts'
import { CopyBlock } from '../ui/CopyBlock.tsx'

/** How long nothing may come before it is said what to look at, ms */
const PATIENCE = 60_000

/** Whether the site's first event has come: it turns green by itself. */
export function Arrival({ code }: { code: ReturnType<typeof snippets> }) {
  const { watching, site } = useShell()
  const { live } = useStore(watching.view)
  const [since] = useState(Date.now)
  const late = useNow() - since > PATIENCE
  const { install } = strings.manage
  const seen = live?.everSeen
  // The one that is shown stays: a region that is read aloud must not change with each event.
  const first = useRef(live?.recent[0])
  first.current ??= live?.recent[0]
  const newest = first.current
  return (
    <>
      <div class={seen ? 'panel arrival here' : 'panel arrival'} role="status">
        <span class={seen ? 'check' : 'pulse'} aria-hidden="true" />
        <p>
          <b>{seen ? install.here : install.waiting}</b>
          {seen && newest && (
            <span class="facts">
              <bdi>{newest.name}</bdi>
              <bdi dir="ltr">{newest.host + newest.path}</bdi>
            </span>
          )}
          {!seen && <span>{install.waitingText}</span>}
        </p>
      </div>
      {!seen && late && (
        <section class="panel block help" aria-labelledby="help-title">
          <h3 id="help-title">{install.lateTitle}</h3>
          <ul>
            <li>
              {install.lateTag} <code>{`/t/${site?.key}.js`}</code>
            </li>
            {site?.consent === 'required' && <li>{install.lateConsent}</li>}
            <li>{install.lateBlocker}</li>
            {location.protocol === 'http:' && <li>{install.lateTls}</li>}
            <li>
              {install.lateCsp}
              <CopyBlock text={code.csp} />
            </li>
          </ul>
        </section>
      )}
    </>
  )
}
