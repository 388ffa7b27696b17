import type { ComponentChildren } from 'preact'
import { strings } from '../strings.ts'
import { BASE } from './base.ts'
import { useShell } from './context.ts'
import { useStore } from './store.ts'

/** What is wrong and what to do about it. */
export function NoticeBox({ title, quiet, children }: { title: string; quiet?: boolean; children: ComponentChildren }) {
  return (
    <section class={quiet ? 'notice quiet' : 'notice'}>
      <h2>{title}</h2>
      {children}
    </section>
  )
}

export function SignedOut() {
  const { title, text, action } = strings.notice['signed-out']
  return (
    <NoticeBox title={title}>
      <p>{text}</p>
      <a class="button primary" href={`${BASE}login?next=${encodeURIComponent(location.pathname + location.search)}`}>
        {action}
      </a>
    </NoticeBox>
  )
}

export function LinkRevoked() {
  const { title, text } = strings.notice['share-unknown']
  return (
    <NoticeBox title={title}>
      <p>{text}</p>
    </NoticeBox>
  )
}

/** About the line to the collector, above what is known; nothing while all is well. */
export function Notice() {
  const { watching, me, site } = useShell()
  const { link } = useStore(watching.view)
  const { notice } = strings
  if (me.sites.length === 0)
    return (
      <NoticeBox title={notice['no-sites'].title} quiet>
        <p>{me.owner ? notice['no-sites'].text : notice['no-sites'].ask}</p>
      </NoticeBox>
    )
  if (site === null) return null
  if (link === 'unknown-site')
    return (
      <NoticeBox title={notice[link].title}>
        <p>{notice[link].text(site.key)}</p>
      </NoticeBox>
    )
  if (link === 'signed-out') return <SignedOut />
  if (link === 'share-unknown') return <LinkRevoked />
  if (link === 'reconnecting' || link === 'offline' || link === 'crowded')
    return (
      <NoticeBox title={notice[link].title} quiet>
        <p>{notice[link].text}</p>
      </NoticeBox>
    )
  return null
}
