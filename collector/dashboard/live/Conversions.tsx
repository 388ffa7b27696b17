import type { LiveEvent } from '../../live/messages.ts'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import { countryName, money } from '../ui/names.ts'
import { eventKey } from './state.ts'

interface ConversionsProps {
  conversions: readonly LiveEvent[]
  now: number
  words: Format
  rows?: number
}

/** Who is converting now: which goal, what it is worth, where, and from where they came. */
export function Conversions({ conversions, now, words, rows = 8 }: ConversionsProps) {
  const { converting, convertingNote, noConversion } = strings.live
  return (
    <section class="panel conversions" aria-labelledby="conversions-title">
      <div class="panel-head">
        <h2 id="conversions-title">{converting}</h2>
        <span class="note">{convertingNote}</span>
      </div>
      {conversions.length === 0 ? (
        <p class="nothing">{noConversion}</p>
      ) : (
        <ol>
          {conversions.slice(0, rows).map(event => (
            <li key={eventKey(event)}>
              <b>
                <bdi>{event.goals?.join(', ')}</bdi>
              </b>
              {event.revenue && <span class="worth">{money(event.revenue.value, event.revenue.currency)}</span>}
              <span class="conversion-from">
                <bdi>
                  {[event.path, event.source, event.country && countryName(event.country)].filter(Boolean).join(' · ')}
                </bdi>
              </span>
              <time dateTime={new Date(event.at).toISOString()}>{words.ago(now - event.at)}</time>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}
