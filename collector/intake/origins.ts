/** Sites that visits come from, and as what they count where nothing else is known. */
type Kind = 'organic search' | 'organic social' | 'email' | 'video' | 'referral'

/**
 * A word with a dot is a host (whole, or its last two labels); one without is the name of a site under any country's
 * ending (`google.co.uk`), or what people write into `utm_source`.
 */
const KNOWN: Record<Kind, string> = {
  'organic search':
    'google bing duckduckgo yahoo ecosia baidu yandex qwant startpage search.brave.com kagi naver sogou seznam mojeek ' +
    'swisscows metager presearch ask.com search.aol.com go.mail.ru ya.ru com.google.android.googlequicksearchbox',
  'organic social':
    'facebook instagram twitter linkedin pinterest reddit tiktok threads mastodon tumblr quora weibo snapchat whatsapp ' +
    'telegram xing vkontakte bsky.app x.com t.co fb.me lnkd.in pin.it vk.com ok.ru t.me redd.it nextdoor.com ' +
    'news.ycombinator.com mastodon.social com.linkedin.android com.pinterest fb ig insta meta vk',
  video: 'youtube youtu.be vimeo twitch dailymotion bilibili rumble.com',
  email: 'gmail outlook hotmail email mail newsletter com.google.android.gm',
  referral: 'docs.google.com drive.google.com sites.google.com news.google.com classroom.google.com groups.google.com',
}
const KINDS = new Map(
  Object.entries(KNOWN).flatMap(([kind, words]) => words.split(' ').map(word => [word, kind as Kind] as const)),
)
const WEBMAIL = /^(?:webmail|mail|mail\d|outlook)\./

/**
 * As what a site is known, by its host or by a name as in `utm_source`.
 * @returns undefined for what is not known
 */
export function kindOfSite(site: string): Kind | undefined {
  const host = site.toLowerCase()
  const labels = host.split('.')
  const known = KINDS.get(host)
  if (known || labels.length === 1) return known
  if (WEBMAIL.test(host)) return 'email'
  const last = labels.slice(-2).join('.')
  labels.pop()
  if (labels.length > 1 && /^(?:com?|org|net)$/.test(labels.at(-1) ?? '')) labels.pop()
  const name = labels.at(-1) ?? ''
  // Names of two letters are people's own abbreviations, and other people's hosts.
  return KINDS.get(last) ?? (name.length > 2 ? KINDS.get(name) : undefined)
}
