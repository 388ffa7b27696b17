/**
 * GPP strings in the addresses of pixels, where no tag reads them (`gpp`, `gpp_sid`).
 *
 * https://github.com/InteractiveAdvertisingBureau/Global-Privacy-Platform/blob/main/Core/Consent%20String%20Specification.md
 */
import { GppModel, Sections } from '@iabgpp/cmpapi'
import type { ConsentFlag } from '../../tag/wire.ts'
import { readTcf } from './tc-string.ts'

/** Characters: of the string, and of its header, which names its sections. */
const LONGEST = { all: 4_096, header: 64 } as const
const GPP = /^DB[\w-]*(?:~[\w.-]+)*$/
/**
 * Numbers of the header are Fibonacci codes, which end with the first `11`. 16 bits without one are a number beyond 1,000: a
 * range up to it, written out by the library, may have billions.
 */
const NO_SECTION = /(?:(?!11)[01]){16}/
/** Sections of Europe and Canada ask for a consent; those after them, of the USA, let people opt out. */
const LAST_OF_CONSENT = 5
const EUROPE = 2
const OPT_OUTS = ['SaleOptOut', 'SharingOptOut', 'TargetedAdvertisingOptOut', 'Gpc', 'OptOutSale']

export interface Gpp {
  /** as of {@link readTcf}: the string's section of Europe, where that applies; `g` where only sections of the USA do */
  consent: ConsentFlag | undefined
  /** somebody has opted out of sale, sharing or targeted advertising, in whichever section */
  optedOut: boolean
}

const SILENT: Gpp = { consent: undefined, optedOut: false }

/** @param sections numbers of those that apply, with commas between them: without any, or with -1 or 0, GPP is silent */
export function readGpp(text: string | undefined, sections: string | undefined): Gpp {
  if (text === undefined || !isBounded(text)) return SILENT
  const applicable = /^\d{1,3}(?:[,_]\d{1,3})*$/.test(sections ?? '') ? (sections ?? '').split(/[,_]/).map(Number) : []
  try {
    const model = new GppModel(text)
    const ids = model.getSectionIds()
    const optedOut = ids.some(id => id > LAST_OF_CONSENT && isOptedOut(model, id))
    // The section is a TC string: read where vendors' lists are not written out.
    if (applicable.includes(EUROPE))
      return { consent: readTcf(undefined, text.split('~')[1 + ids.indexOf(EUROPE)]), optedOut }
    const isFree = applicable.length > 0 && applicable.every(id => id > LAST_OF_CONSENT)
    return { consent: isFree ? 'g' : undefined, optedOut }
  } catch {
    return SILENT
  }
}

function isBounded(text: string): boolean {
  const [header = ''] = text.split('~', 1)
  if (text.length > LONGEST.all || header.length > LONGEST.header || !GPP.test(text)) return false
  const bits = [...Buffer.from(header, 'base64url')].map(byte => byte.toString(2).padStart(8, '0')).join('')
  return !NO_SECTION.test(bits.slice(24).replace(/0+$/, ''))
}

function isOptedOut(model: GppModel, id: number): boolean {
  const name = Sections.SECTION_ID_NAME_MAP.get(id)
  if (name === undefined) return false
  return OPT_OUTS.some(
    field => model.hasField(name, field) && [1, true, 'Y'].includes(model.getFieldValue(name, field)),
  )
}
