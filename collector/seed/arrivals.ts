/** How visits come about: links, searches and campaigns, as a browser would tell of them. */
import { type Draw, hashOf, pickBy, zipf } from './draw.ts'
import { pages, type SeedPage } from './pages.ts'

export interface Arrival {
  referrer: string
  /** of the landing page's URL, with `?`; empty without a campaign */
  query: string
  /** which pages it leads to: any by popularity, mostly the home page, or these */
  to: 'any' | 'home' | readonly SeedPage[]
}

const links = (to: Arrival['to'], weights: Record<string, number>): [number, Arrival][] =>
  Object.entries(weights).map(([referrer, weight]) => [weight, { referrer, query: '', to }])

const SITES = 'review guide news forum wiki daily compare test magazine club'.split(' ')
const elsewhere = Array.from(
  { length: 300 },
  (_, i) => `https://${SITES[i % SITES.length]}-${i}.example/links/${i % 7}`,
)

const [FIRST = { path: '/', title: '' }] = pages

/** utm_source, utm_medium, referrer, campaigns, terms, contents */
type Campaign = [source: string, medium: string, referrer: string, names: string, terms: string, contents: string]
const CAMPAIGNS: Campaign[] = [
  ['google', 'cpc', 'https://www.google.com/', 'brand shoes tents gifts', 'shop+shoes+tent+gifts', 'ad-a ad-b'],
  ['facebook', 'paid_social', 'https://l.facebook.com/', 'spring-sale winter-sale again', '', 'video carousel image'],
  ['newsletter', 'email', '', 'weekly-38 weekly-39 weekly-40 weekly-41 welcome', '', 'header product footer'],
  ['instagram', 'paid_social', 'https://l.instagram.com/', 'spring-sale creators', '', 'story reel'],
  ['bing', 'cpc', 'https://www.bing.com/', 'brand shoes', 'shop+shoes+jacket', 'ad-a'],
  ['youtube', 'video', 'https://www.youtube.com/', 'creators how-to', '', 'pre-roll in-feed'],
  ['partner-nine', 'affiliate', 'https://partner-nine.example/', 'always-on', '', 'banner text'],
  ['ad-network', 'display', 'https://frames.ad-network.example/', 'spring-sale again', '', '300x250 728x90'],
  ['linkedin', 'social', 'https://www.linkedin.com/', 'jobs company', '', 'post'],
]

const campaigns: Arrival[] = CAMPAIGNS.flatMap(([source, medium, referrer, names, terms, contents]) =>
  names.split(' ').flatMap(name =>
    contents.split(' ').flatMap(content =>
      terms.split('+').map(term => ({
        referrer,
        query: `?utm_source=${source}&utm_medium=${medium}&utm_campaign=${name}${term && `&utm_term=${term}`}&utm_content=${content}`,
        to: [0, 1, 2].map(i => pages[hashOf(name, i) % 60] ?? FIRST),
      })),
    ),
  ),
)

/** Shares of all that arrive. */
const weigh = (share: number, weighted: [number, Arrival][]): [number, Arrival][] => {
  const sum = weighted.reduce((sum, [weight]) => sum + weight, 0)
  return weighted.map(([weight, arrival]) => [(weight * share) / sum, arrival])
}

const DIRECT: Arrival = { referrer: '', query: '', to: 'home' }
const all = pickBy([
  ...weigh(0.3, [[1, DIRECT]]),
  ...weigh(
    0.34,
    links('any', {
      'https://www.google.com/': 80,
      'https://www.bing.com/': 8,
      'https://duckduckgo.com/': 5,
      'https://www.ecosia.org/': 2,
      'https://search.yahoo.com/': 2,
      'https://yandex.ru/': 1,
    }),
  ),
  ...weigh(
    0.1,
    links('any', {
      'https://l.facebook.com/': 30,
      'https://l.instagram.com/': 25,
      'https://t.co/': 10,
      'https://www.reddit.com/': 10,
      'https://www.linkedin.com/': 8,
      'https://www.pinterest.com/': 6,
      'https://www.youtube.com/': 12,
    }),
  ),
  ...weigh(0.02, links('any', { 'https://mail.google.com/': 3, 'https://outlook.live.com/': 2 })),
  ...weigh(
    0.1,
    zipf(
      elsewhere.map((referrer): Arrival => ({ referrer, query: '', to: 'any' })),
      1.1,
    ),
  ),
  ...weigh(0.14, zipf(campaigns, 0.8)),
])

/** Who has been there before comes more often by himself. */
export const arrive = (draw: Draw, again: boolean): Arrival => (again && draw.chance(0.35) ? DIRECT : all(draw.share()))
