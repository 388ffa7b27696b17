/** Paths for a recipient's mail: minted one at a time, so that a list of any length takes no memory. */
import type { KeyObject } from 'node:crypto'
import type { HeldMailing } from './folder.ts'
import type { Followed } from './known.ts'
import { mintToken, pseudonym } from './token.ts'
import type { Withdrawals } from './withdrawals.ts'

/** What goes into a mail. */
export interface Minted {
  /** the caller's own reference, as it was given: it is not kept */
  recipient: string
  /** path of the image, below the collector's address; null where there is to be none */
  pixel: string | null
  /** of each link, in their order: a path below the collector's address, or where nothing is measured the destination itself */
  links: string[]
  /** there where the recipient has withdrawn */
  withdrawn?: true
}

export type Mint = (mailing: HeldMailing, recipient: string) => Promise<Minted>

interface MintParts {
  known: Pick<Followed, 'signing' | 'sign'>
  /** of the pseudonyms */
  secret: KeyObject
  withdrawals: Pick<Withdrawals, 'silences'>
  clock(): number
}

/** @throws Error when no key signs now and none can be made */
export function createMint({ known, secret, withdrawals, clock }: MintParts): Mint {
  return async ({ number, site, policy, links }, reference) => {
    const untouched = { recipient: reference, pixel: null, links: [...links] }
    if (policy === 'none') return untouched
    const now = clock()
    const minted = Math.floor(now / 1000)
    const recipient = pseudonym(secret, site, reference)
    if (await withdrawals.silences(site, recipient, minted)) return { ...untouched, withdrawn: true }
    const key = known.signing(now) ?? (await known.sign(now))
    if (!key) throw new Error('no key signs tokens of mails now')
    const token = (link: number) => mintToken(key, { link, mailing: number, minted, recipient })
    return {
      recipient: reference,
      pixel: `/p/${token(0)}.gif`,
      links: policy === 'measure' ? links.map((_, i) => `/l/${token(i + 1)}`) : [...links],
    }
  }
}
