/**
 * IAB's Transparency and Consent Framework 2.2 and 2.3, as the page's CMP reports it.
 *
 * CMP API: https://github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework/blob/master/TCFv2/IAB%20Tech%20Lab%20-%20CMP%20API%20v2.md
 */
import { decide } from '../tag/decide.ts'
import { options } from '../tag/options.ts'
import { listen } from './iab.ts'
import { NOT_NEEDED, TCF } from './ranks.ts'
import { AGREED } from './state.ts'

/** What is read of `TCData`. */
interface TcData {
  tcString?: string
  gdprApplies?: boolean
  eventStatus?: string
  purpose: { consents: Record<string, boolean> }
  vendor: { consents: Record<string, boolean> }
}

/**
 * Grants `measure` and `identify` where all purposes (`tcfPurposes`; by default storing on the device, measuring the
 * performance of content and understanding audiences) and the vendor (`tcfVendor`), if one is named, have a
 * consent; a legitimate interest is none. Acts on `tcloaded` and `useractioncomplete`: `cmpuishown` says only that somebody is
 * being asked, so it is pending, as is a stub whose CMP never comes.
 */
export const tcf = (): unknown =>
  listen('__tcfapi', 2, (data: TcData) => {
    const vendor = options.tcfVendor
    const free = data.gdprApplies === false
    decide(
      free ? NOT_NEEDED : TCF,
      /^tc|^usera/.test(data.eventStatus as string) &&
        (free ||
        ([...(options.tcfPurposes ?? '189')].every(id => data.purpose.consents[id]) &&
          (!vendor || data.vendor.consents[vendor]))
          ? AGREED
          : []),
      'tcf',
      data.tcString,
    )
  })
