/** The pages of a made-up shop: a few that every shop has, products, a blog, help. The same in every history. */
import { hashOf } from './draw.ts'

export interface SeedPage {
  path: string
  title: string
  /** of a product, minor units of {@link CURRENCY} */
  price?: number
}

export const CURRENCY = 'EUR'
/** Pages that visits reach by their popularity. */
const PAGES = 4_000

const ADJECTIVES = 'light warm quiet sturdy bright soft classic compact modern rough'.split(' ')
const NOUNS = 'shoe jacket lamp chair bag bottle clock blanket knife tent mug shelf'.split(' ')
const TOPICS = 'care repair travel winter summer gifts materials people style outdoors home'.split(' ')
const FRONT: SeedPage[] = [
  { path: '/', title: 'Home' },
  { path: '/sale', title: 'Sale' },
  { path: '/new', title: 'New' },
  { path: '/pricing', title: 'Pricing' },
  { path: '/about', title: 'About us' },
]

export const CART: SeedPage = { path: '/cart', title: 'Cart' }
export const CHECKOUT: SeedPage = { path: '/checkout', title: 'Checkout' }
export const THANKS: SeedPage = { path: '/thanks', title: 'Thank you' }
export const SIGN_UP: SeedPage = { path: '/account/new', title: 'New account' }
export const SEARCH: SeedPage = { path: '/search', title: 'Search' }

/** By popularity: the first is the home page. */
export const pages: readonly SeedPage[] = [
  ...FRONT,
  ...Array.from({ length: PAGES - FRONT.length }, (_, i) => pageOf(i)),
]
export const products: readonly SeedPage[] = pages.filter(({ price }) => price !== undefined)

function pageOf(n: number): SeedPage {
  const hash = hashOf(`page ${n}`)
  const word = (list: string[], shift: number) => list[(hash >>> shift) % list.length] ?? ''
  if (n % 20 < 11) {
    const [adjective, noun] = [word(ADJECTIVES, 0), word(NOUNS, 8)]
    return {
      path: `/products/${adjective}-${noun}-${n}`,
      title: `${adjective[0]?.toUpperCase()}${adjective.slice(1)} ${noun}`,
      price: 990 + (hash % 150) * 100,
    }
  }
  const [topic, noun] = [word(TOPICS, 4), word(NOUNS, 12)]
  return n % 20 < 17
    ? { path: `/blog/${topic}-and-your-${noun}-${n}`, title: `On ${topic}, and your ${noun}` }
    : { path: `/help/${topic}/${noun}-${n}`, title: `Help: ${noun}` }
}
