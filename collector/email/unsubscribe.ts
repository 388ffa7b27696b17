/**
 * Which links of a mail end its sending: they lead straight on, as a wrapped one would measure who wants no more mails, and would
 * not work as the one-click kind (RFC 8058). Rather one too many than one too few: what is left alone works as it was.
 */

/** In the address, as senders' systems call it: in English, as most do everywhere, and in the languages of its path. */
const IN_ADDRESS =
  /unsub(?!stantiat)|opt[-_]?out|list-?manage|(?:email|mail|subscription|newsletter)[-_]?(?:preferences|settings)|abmeld|abbestell|d[eé]sabonn|d[eé]sinscri|darse-?de-?baja|cancelar-?(?:suscrip|inscri)|descadastr|disiscri|disdici|uitschrijv|afmeld|avregistr|wypisz|odhl[aá]s|отписа|отпис|退订|配信停止/iu

/** In what people read: the word alone, or asking for it. */
const IN_TEXT =
  /\bunsubscribe\b|\bopt[ -]?out\b|\b(?:email|mail|subscription|newsletter) (?:preferences|settings)\b|\bmanage (?:your |my )?(?:subscription|preferences)|\b(?:newsletter )?abmelden\b|\babbestellen\b|\babmeldung\b|d[ée]sabonner|d[ée]sinscri|darme? de baja|darse de baja|cancelar (?:la |sua |a )?(?:suscripci|inscri|assinatura)|descadastr|disiscriv|annulla (?:l['’])?iscrizione|uitschrijven|afmelden|avregistrera|avsluta prenumeration|wypisz|odhlásit|отписаться|退订|配信停止/iu

export interface Link {
  /** of the attribute, decoded */
  href: string
  /** tokens of the attribute, as they are */
  rel: string
  /** what is between the tags, alternatives of images included */
  text: string
}

/** @param given URLs of `List-Unsubscribe` (RFC 2369) and others that the sender names */
export function isUnsubscribe({ href, rel, text }: Link, given: readonly string[]): boolean {
  if (rel.toLowerCase().split(/\s+/).includes('unsubscribe')) return true
  if (given.some(url => isSame(url, href))) return true
  return IN_ADDRESS.test(readable(href)) || IN_TEXT.test(text.replace(/\s+/g, ' '))
}

const isSame = (a: string, b: string): boolean =>
  URL.canParse(a) && URL.canParse(b) ? new URL(a).href === new URL(b).href : a === b

function readable(href: string): string {
  try {
    return decodeURIComponent(href)
  } catch {
    return href
  }
}
