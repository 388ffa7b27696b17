/** TC strings in the addresses of pixels, where no tag reads them (IAB TCF 2.3: `gdpr`, `gdpr_consent`). */
import { TCString } from '@iabtechlabtcf/core'
import type { ConsentFlag } from '../../tag/wire.ts'

/** Characters; one with every vendor of the list named alone has a quarter of that. */
const LONGEST = 4_096
/**
 * Everything before the lists of vendors: 213 bits, so 35 characters of 6 bits and half of one. The lists are not read: 700
 * ranges of 65,535 vendors fit into a string, and writing them out takes 2.5 s.
 */
const HEAD = 35
const TCF2 = /^C[\w-]{42,}(?:\.[\w-]+)*$/

/**
 * What a pixel's parameters say: `g` where the GDPR does not apply (`gdpr=0`) or the string grants purpose 1 (storing on the
 * device) and 8 or 9 (measuring content, understanding audiences); `d` where a string does not; `undefined` where nothing is
 * said, or nothing that can be read.
 */
export function readTcf(gdpr: string | undefined, consent: string | undefined): ConsentFlag | undefined {
  if (gdpr === '0') return 'g'
  const granted = consent === undefined ? undefined : purposesOf(consent)
  if (!granted) return undefined
  return granted.has(1) && (granted.has(8) || granted.has(9)) ? 'g' : 'd'
}

function purposesOf(text: string): { has(purpose: number): boolean } | undefined {
  if (text.length > LONGEST || !TCF2.test(text)) return undefined
  // The three bits of the 36th character belong to the head; zeros after it are empty lists.
  const last = ALPHABET[ALPHABET.indexOf(text[HEAD] ?? 'A') & 0b111000] ?? 'A'
  try {
    return TCString.decode(`${text.slice(0, HEAD)}${last}${'A'.repeat(10)}`).purposeConsents
  } catch {
    return undefined
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
