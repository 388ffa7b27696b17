/**
 * IAB's Global Privacy Platform 1.1, for the laws of US states, which ask for no consent but let people opt out.
 *
 * CMP API: https://github.com/InteractiveAdvertisingBureau/Global-Privacy-Platform/blob/main/Core/CMP%20API%20Specification.md
 */
import { decide } from '../tag/decide.ts'
import { options } from '../tag/options.ts'
import { encode } from '../tag/props.ts'
import { listen } from './iab.ts'
import { GPP } from './ranks.ts'
import { ALL } from './state.ts'

/** What is read of an event's `PingData`. */
interface GppEvent {
  pingData: {
    signalStatus: string
    applicableSections: number[]
    gppString: string
    parsedSections: unknown
  }
}

/**
 * An opt-out takes `share` away, whoever grants it, until the next page. Where only sections of the USA apply (6 and above), no
 * consent is needed, unless somebody refuses elsewhere; where one of Europe or Canada applies, too, GPP is silent: no signal
 * is never an opt-in.
 */
export const gpp = (): unknown =>
  listen('__gpp', '1.1', (event: GppEvent) => {
    const pingData = event.pingData
    // Out of sale, of sharing, or of targeted advertising, in whichever section and segment; 1 is yes, and so is a GPC signal in it.
    if (/(OptOut|Gpc)":[1t]/.test(encode(pingData.parsedSections))) options.veto = 'share'
    decide(
      GPP,
      pingData.signalStatus === 'ready' &&
        pingData.applicableSections[0] &&
        pingData.applicableSections.every(section => section > 5) &&
        ALL,
      'gpp',
      pingData.gppString,
    )
  })
