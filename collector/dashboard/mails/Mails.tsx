import { useShell } from '../shell/context.ts'
import { Mailings } from './Mailings.tsx'
import { MailingView } from './MailingView.tsx'

/** The site's mailings; or what became of one of them, as the address says. */
export function Mails() {
  const { address, site } = useShell()
  const { mailing } = address.params
  if (!site) return null
  return mailing ? <MailingView key={mailing} id={mailing} /> : <Mailings />
}
