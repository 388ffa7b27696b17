/**
 * OneTrust: https://developer.onetrust.com/onetrust/docs/javascript-events-guide, and `OnetrustActiveGroups`, the groups in
 * force, in commas: `,C0001,C0002,`
 *
 * The groups have their defaults until the visitor has closed the banner, which `IsAlertBoxClosed` tells.
 */
import { decide } from '../../tag/decide.ts'
import { options } from '../../tag/options.ts'
import { on } from '../../tag/safely.ts'
import { CMP } from '../ranks.ts'
import { AGREED } from '../state.ts'

interface OneTrustWindow {
  OneTrust: { IsAlertBoxClosed(): boolean }
  OnetrustActiveGroups: string
}

/** The group is `C0002`, performance, unless the site's `category` says otherwise. */
export const onetrust = () => {
  const read = () => {
    const { OneTrust, OnetrustActiveGroups } = window as unknown as OneTrustWindow
    const active = OnetrustActiveGroups.split(',').includes(options.category ?? 'C0002')
    decide(CMP, OneTrust.IsAlertBoxClosed() && (active ? AGREED : []), 'onetrust')
  }
  // At each load and change; the second one also after the change has been stored.
  on('OneTrustGroupsUpdated', read)
  on('OTConsentApplied', read)
  // Throws where it has not loaded yet: then the events come.
  read()
}
