import type { LiveEvent } from '../../live/messages.ts'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { kindOf } from './kind.ts'

interface FeedRowProps {
  event: LiveEvent
  /** it has just come */
  fresh: boolean
  words: Format
}

/** One event; opened, it shows everything that is known of it. */
export function FeedRow({ event, fresh, words }: FeedRowProps) {
  const { details } = strings
  const agent = [event.device, event.browser, event.os].filter(Boolean).join(' · ')
  return (
    <li class={fresh ? 'event event-new' : 'event'}>
      <details>
        <summary>
          <time class="event-time" dateTime={new Date(event.at).toISOString()}>
            {words.time(event.at)}
          </time>
          <b class={`kind kind-${kindOf(event.name)}`}>
            <bdi>{event.name}</bdi>
          </b>
          <bdi class="event-path" dir="ltr">
            {event.path || '/'}
          </bdi>
          <span class="event-from">
            {event.source && event.source !== 'direct' && <bdi>{strings.from(event.source)}</bdi>}
            {event.bot && <em class="bot">{strings.bot(event.bot)}</em>}
          </span>
          <span class="event-agent">{agent}</span>
        </summary>
        <dl class="event-details">
          {event.title && <Detail name={details.title} value={event.title} />}
          <Detail name={details.host} value={event.host} />
          <Detail name={details.device} value={agent} />
          <Detail name={details.received} value={words.time(event.received)} />
          <Detail name={details.id} value={event.id} />
          {Object.entries(event.properties ?? {}).map(([key, value]) => (
            <Detail key={key} name={key} value={typeof value === 'string' ? value : JSON.stringify(value)} own />
          ))}
        </dl>
      </details>
    </li>
  )
}

function Detail({ name, value, own }: { name: string; value: string; own?: boolean }) {
  return (
    <div>
      <dt>{own ? <code>{name}</code> : name}</dt>
      <dd dir="auto">{value}</dd>
    </div>
  )
}
