/** Who visits: an agent with the widths that its devices have, a language with a time zone, a place, an id. */
import { type Agent, type Place, readAgent } from '../intake/index.ts'
import { type Draw, drawOf, pickBy } from './draw.ts'

export interface Person {
  /** of the visitor; of a cookieless one the day's name */
  id: string
  cookieless: boolean
  agent: Agent
  width: number
  language: string
  zone: string
  place: Place
}

/** Versions of browsers: the newest is what most have. */
const VERSIONS = [
  [0.62, 0],
  [0.2, 1],
  [0.1, 2],
  [0.05, 5],
  [0.03, 12],
] as const

const WIDTHS = {
  iphone: [375, 390, 390, 393, 402, 414, 430],
  android: [360, 360, 384, 393, 412, 412],
  tablet: [768, 810, 820, 1024, 1180],
  desktop: [1280, 1366, 1440, 1440, 1536, 1536, 1680, 1920, 1920, 1920, 2560],
} as const

const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)'
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)'
const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)'
/** Weight, kind of width, newest version, and what the agent says with a version. */
const AGENTS: [number, keyof typeof WIDTHS, number, (version: number) => string][] = [
  [27, 'android', 147, v => `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} Chrome/${v}.0.0.0 Mobile Safari/537.36`],
  [
    21,
    'iphone',
    26,
    v =>
      `Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${v}.0 Mobile/15E148 Safari/604.1`,
  ],
  [
    4,
    'android',
    29,
    v => `Mozilla/5.0 (Linux; Android 10; K) ${WEBKIT} SamsungBrowser/${v}.0 Chrome/136.0.0.0 Mobile Safari/537.36`,
  ],
  [1, 'android', 148, v => `Mozilla/5.0 (Android 15; Mobile; rv:${v}.0) Gecko/${v}.0 Firefox/${v}.0`],
  [
    3,
    'tablet',
    26,
    v =>
      `Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${v}.0 Mobile/15E148 Safari/604.1`,
  ],
  [1, 'tablet', 147, v => `Mozilla/5.0 (Linux; Android 13; SM-X906C) ${WEBKIT} Chrome/${v}.0.0.0 Safari/537.36`],
  [21, 'desktop', 147, v => `${WINDOWS} ${WEBKIT} Chrome/${v}.0.0.0 Safari/537.36`],
  [6, 'desktop', 147, v => `${MAC} ${WEBKIT} Chrome/${v}.0.0.0 Safari/537.36`],
  [1, 'desktop', 147, v => `Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/${v}.0.0.0 Safari/537.36`],
  [5, 'desktop', 26, v => `${MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${v}.0 Safari/605.1.15`],
  [5, 'desktop', 147, v => `${WINDOWS} ${WEBKIT} Chrome/${v}.0.0.0 Safari/537.36 Edg/${v}.0.0.0`],
  [3, 'desktop', 148, v => `Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:${v}.0) Gecko/20100101 Firefox/${v}.0`],
  [1, 'desktop', 148, v => `Mozilla/5.0 (X11; Linux x86_64; rv:${v}.0) Gecko/20100101 Firefox/${v}.0`],
  [1, 'desktop', 147, v => `${WINDOWS} ${WEBKIT} Chrome/${v}.0.0.0 Safari/537.36 OPR/${v - 15}.0.0.0`],
]

const agents = pickBy(
  AGENTS.flatMap(([weight, kind, newest, text]) =>
    VERSIONS.map(([share, back]) => [weight * share, { agent: readAgent(text(newest - back)), kind }] as const),
  ),
)

/** Languages with a time zone and a place in which they are spoken. */
const languages = pickBy([
  [30, ['en-US', 'America/New_York', 'US-NY', 'New York']],
  [9, ['en-US', 'America/Los_Angeles', 'US-CA', 'Los Angeles']],
  [11, ['en-GB', 'Europe/London', 'GB-ENG', 'London']],
  [18, ['de-DE', 'Europe/Berlin', 'DE-BE', 'Berlin']],
  [7, ['fr-FR', 'Europe/Paris', 'FR-IDF', 'Paris']],
  [6, ['es-ES', 'Europe/Madrid', 'ES-MD', 'Madrid']],
  [4, ['it-IT', 'Europe/Rome', 'IT-62', 'Rome']],
  [4, ['nl-NL', 'Europe/Amsterdam', 'NL-NH', 'Amsterdam']],
  [3, ['pl-PL', 'Europe/Warsaw', 'PL-14', 'Warsaw']],
  [3, ['pt-BR', 'America/Sao_Paulo', 'BR-SP', 'São Paulo']],
  [2, ['ja-JP', 'Asia/Tokyo', 'JP-13', 'Tokyo']],
  [2, ['en-IN', 'Asia/Kolkata', 'IN-KA', 'Bengaluru']],
  [1, ['sv-SE', 'Europe/Stockholm', 'SE-AB', 'Stockholm']],
] as const)

const BOTS = pickBy(
  (
    [
      [
        40,
        `Mozilla/5.0 ${WEBKIT.replace('(KHTML, like Gecko)', '(KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html)')} Chrome/147.0.0.0 Safari/537.36`,
      ],
      [
        15,
        `Mozilla/5.0 ${WEBKIT.replace('(KHTML, like Gecko)', '(KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)')} Chrome/136.0.0.0 Safari/537.36`,
      ],
      [20, `Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} HeadlessChrome/147.0.0.0 Safari/537.36`],
      [15, 'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)'],
      [10, 'Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)'],
    ] as const
  ).map(([weight, text]) => [weight, readAgent(text)] as const),
)

/** The person with this number: the same at every visit. */
export function personOf(basis: number, n: number): Person {
  const draw = drawOf(basis, n)
  return { ...described(draw), id: draw.id(), cookieless: false }
}

/** Known for one day only, so never met again. */
export const cookielessPerson = (draw: Draw): Person => ({
  ...described(draw),
  id: `~${draw.hash()}`,
  cookieless: true,
})

export const botPerson = (draw: Draw): Person => ({
  agent: BOTS(draw.share()),
  width: 1_280,
  language: 'en-US',
  zone: 'America/Los_Angeles',
  place: { country: 'US', region: 'US-CA', city: 'Los Angeles' },
  id: draw.id(),
  cookieless: false,
})

function described(draw: Draw): Omit<Person, 'id' | 'cookieless'> {
  const { agent, kind } = agents(draw.share())
  const [language, zone, region, city] = languages(draw.share())
  const place = { country: region.slice(0, 2), region, city }
  const widths = WIDTHS[kind]
  return { agent, width: widths[draw.whole(0, widths.length - 1)] ?? widths[0], language, zone, place }
}
