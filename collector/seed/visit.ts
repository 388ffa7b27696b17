/** What somebody does on one visit, as the tag would tell it and intake would take it. */
import { convert, nameVisitor, readShared } from '../intake/index.ts'
import { eventOf, type JournalEvent, type Shared } from '../journal/index.ts'
import { type Site, toMajor } from '../sites/index.ts'
import { type Arrival, arrive } from './arrivals.ts'
import { type Draw, pickBy, zipf } from './draw.ts'
import { seeded } from './goals.ts'
import { CART, CHECKOUT, CURRENCY, pages, products, SEARCH, type SeedPage, SIGN_UP, THANKS } from './pages.ts'
import type { Person } from './people.ts'

/** Visits of one page view. */
const BOUNCES = 0.45
/** Of the others so many go on after each page view beyond the second, but no further than this. */
const GOES_ON = 0.62
const MOST_VIEWS = 40
/** Of those that look at a product with more than one view, and then of those with a cart, and at the checkout. */
const [TO_CART, TO_CHECKOUT, BUYS] = [0.1, 0.5, 0.62]
/** For how long a page is looked at: the mean and the most, ms. A visit ends after half an hour without an event. */
const LOOK = { mean: 38_000, most: 25 * 60_000 } as const

const byRank = pickBy(zipf(pages, 0.95))
const productByRank = pickBy(zipf(products, 0.9))
const DEPTHS = [25, 50, 75, 90, 100] as const

interface Scene {
  site: Site
  draw: Draw
  person: Person
  session: string
  events: JournalEvent[]
  /** when it is, ms */
  at: number
}

/**
 * @param until no event comes at this time or later: a visit that would go on is made shorter, ms
 * @param again whether the visitor has been there before
 */
export function visit(
  site: Site,
  draw: Draw,
  who: { person: Person; session: string; again: boolean },
  start: number,
  until: number,
): JournalEvent[] {
  const scene: Scene = { site, draw, person: who.person, session: who.session, events: [], at: start }
  const arrival = arrive(draw, who.again)
  if (who.person.agent.bot === undefined) browse(scene, landing(draw, arrival), arrival)
  else crawl(scene, landing(draw, arrival))
  shorten(scene.events, start, until)
  return scene.events
}

function landing(draw: Draw, { to }: Arrival): SeedPage {
  if (to === 'home') return draw.chance(0.55) ? first : byRank(draw.share())
  if (to === 'any') return byRank(draw.share())
  return to[draw.whole(0, to.length - 1)] ?? first
}
const [first = { path: '/', title: '' }] = pages

function browse(scene: Scene, entry: SeedPage, arrival: Arrival): void {
  const { draw } = scene
  let left = 1
  if (!draw.chance(BOUNCES)) for (left = 2; left < MOST_VIEWS && draw.chance(GOES_ON); ) left++
  const staying = left > 1
  let page = entry
  for (let nth = 0; nth < left; nth++) {
    const view = look(scene, page, nth === 0 ? arrival : undefined)
    const end =
      staying && page.price !== undefined && draw.chance(TO_CART) ? shop : staying && draw.chance(0.012) ? signUp : null
    if (end) {
      end(scene, view, page)
      return
    }
    if (draw.chance(0.008)) view.tell('download', { file: 'care-guide.pdf' })
    view.leave()
    if (staying && draw.chance(0.03)) search(scene)
    page = next(draw)
  }
}

const next = (draw: Draw): SeedPage => {
  if (draw.chance(0.1)) return first
  return draw.chance(0.3) ? productByRank(draw.share()) : byRank(draw.share())
}

/** A page view: its events have its id, and a number each. */
interface View {
  tell(name: string, props?: Record<string, unknown>, id?: string): void
  /** What a look at it leaves behind, and the time that it takes. */
  leave(): void
}

function look(scene: Scene, page: SeedPage, arrival?: Arrival): View {
  const { site, draw, person } = scene
  const origin = `https://${site.domain}`
  const shared = shareOf(scene, origin + page.path + (arrival?.query ?? ''), arrival?.referrer ?? `${origin}/`, page)
  const w = draw.id()
  let q = 0
  const tell: View['tell'] = (name, props, id) => {
    const own = id === undefined ? undefined : true
    const ts = new Date(scene.at)
    const met = convert(seeded, { name, path: page.path, props })
    scene.events.push(eventOf(shared, { ...met, name, id: id ?? `${w}.${q}`, own, ts, props }))
    q++
  }
  tell('pageview')
  return {
    tell,
    leave() {
      if (person.agent.bot !== undefined) return
      const begin = scene.at
      const time = Math.round(Math.min(2_000 + draw.wait(LOOK.mean), LOOK.most))
      if (draw.chance(0.4)) {
        scene.at = begin + Math.round(time * 0.4)
        tell('scroll', { depth: DEPTHS[draw.whole(0, 4)] })
      }
      if (draw.chance(0.3)) {
        scene.at = begin + Math.round(time * 0.8)
        tell('click', { kind: 'link', url: `${origin}${page.path}`, text: page.title, selector: '#main>a' })
      }
      scene.at = begin + time
      if (draw.chance(0.85)) tell('engagement', { ms: Math.round(time * (0.3 + 0.6 * draw.share())) })
    },
  }
}

function shareOf({ site, person, session }: Scene, url: string, referrer: string, { title }: SeedPage): Shared {
  const { id, cookieless, width, language, zone, agent, place } = person
  const c = cookieless ? 'l' : site.consent === 'none' ? 'x' : 'g'
  const page = { u: url, r: referrer, ti: title, vw: width, l: language, z: zone }
  const shared = readShared(site, { p: page, c, i: id, k: session }, { agent, place: () => place })
  if (cookieless) nameVisitor(shared, id)
  return shared
}

/** From a product to the cart, and perhaps on. */
function shop(scene: Scene, at: View, product: SeedPage): void {
  const { draw } = scene
  const quantity = draw.chance(0.8) ? 1 : draw.whole(2, 4)
  const price = product.price ?? 0
  scene.at += 4_000
  at.tell('add_to_cart', { product: product.path.slice(10), price, currency: CURRENCY, quantity })
  at.leave()
  look(scene, CART).leave()
  if (!draw.chance(TO_CHECKOUT)) return
  const checkout = look(scene, CHECKOUT)
  checkout.tell('begin_checkout', { value: price * quantity, currency: CURRENCY })
  checkout.leave()
  if (!draw.chance(BUYS)) return
  const thanks = look(scene, THANKS)
  const order = `order-${draw.id()}`
  scene.at += 50
  const revenue = { amount: toMajor({ value: price * quantity, currency: CURRENCY }), currency: CURRENCY }
  thanks.tell('purchase', { order, revenue, items: quantity }, order)
  thanks.leave()
}

const PLANS = ['free', 'free', 'free', 'plus', 'plus', 'pro'] as const

function signUp(scene: Scene, before: View): void {
  before.leave()
  const view = look(scene, SIGN_UP)
  view.leave()
  view.tell('signup', { plan: PLANS[scene.draw.whole(0, PLANS.length - 1)] })
}

function search(scene: Scene): void {
  const view = look(scene, SEARCH)
  const [, word = ''] = productByRank(scene.draw.share()).path.split('-')
  view.tell('search', { query: word, results: scene.draw.whole(0, 40) })
  view.leave()
}

/** A bot that runs scripts: a few pages, fast. */
function crawl(scene: Scene, entry: SeedPage): void {
  let page = entry
  for (let left = scene.draw.whole(1, 4); left > 0; left--) {
    look(scene, page)
    scene.at += 300 + Math.round(scene.draw.wait(1_500))
    page = byRank(scene.draw.share())
  }
}

/** Draws the times together, so that all comes before `until` and in the same order. */
function shorten(events: JournalEvent[], start: number, until: number): void {
  const last = events.at(-1)?.ts.getTime() ?? start
  if (last < until) return
  const factor = (until - 1 - start) / (last - start)
  for (const event of events) event.ts = new Date(start + Math.floor((+event.ts - start) * factor))
}
