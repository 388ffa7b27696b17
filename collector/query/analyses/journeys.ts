/** Where visits go from a page, or come from: the next page view, or the one before, of another page. */
import { columnOf, Places } from '../../columns/index.ts'
import { getOrAdd } from '../../get-or-add.ts'
import { eachEvents, newFits } from '../block-chunks.ts'
import { gather } from './gathered.ts'
import { percentOf, type Reading } from './reading.ts'
import type { Results } from './schema.ts'
import { OF_VISITS, visitsIn } from './units.ts'

export interface Journeys {
  page: string
  direction: 'next' | 'previous'
  limit: number
}

const MOST_UNITS = 5_000_000
const END = { next: '(exit)', previous: '(entry)' } as const

export async function journeys(
  { page, direction, limit }: Journeys,
  { asked, read }: Reading,
): Promise<Results<'journeys'>> {
  const places = new Places(MOST_UNITS)
  const open = gather()
  const paths = new Map<string, number>()
  const texts: string[] = []
  const counts = new Map<string, number>()
  let views = 0
  /** Of one visit, in the order of time; those of one ms by path. */
  const count = (visit: { at: number; path: number; fits: boolean }[]): void => {
    visit.sort((a, b) => a.at - b.at || ((texts[a.path] ?? '') < (texts[b.path] ?? '') ? -1 : 1))
    const step = direction === 'next' ? 1 : -1
    for (const [i, view] of visit.entries()) {
      if (texts[view.path] !== page || !view.fits) continue
      views++
      let other = i + step
      while (visit[other] && visit[other]?.path === view.path) other += step
      const to = visit[other]
      const text = to ? (texts[to.path] ?? '') : END[direction]
      counts.set(text, (counts.get(text) ?? 0) + 1)
    }
  }
  const taking = newFits().fill(1)
  for await (const { block, fits } of read([...OF_VISITS, 'event.path'])) {
    const { unitOf, isWhole } = visitsIn(block, places)
    const name = columnOf(block, 'event.name')
    const view = name.texts.indexOf('pageview')
    const path = columnOf(block, 'event.path')
    const at = columnOf(block, 'event.at').numbers
    const codes = path.texts.map(text =>
      getOrAdd(paths, text, () => {
        texts.push(text)
        return texts.length - 1
      }),
    )
    let [last, visit]: [number | undefined, Parameters<typeof count>[0]] = [undefined, []]
    const end = () => {
      count(visit)
      visit = []
    }
    eachEvents(asked, block, { others: false }, chunk => {
      fits?.(chunk, taking)
      for (let i = 0; i < chunk.length; i++) {
        const [session, event] = [chunk.sessions[i] as number, chunk.events[i] as number]
        if (name.numbers[event] !== view) continue
        const code = codes[path.numbers[event] as number] as number
        const one = { at: block.from + (at[event] as number), path: code, fits: taking[i] === 1 }
        if (!isWhole(session)) {
          open.add(unitOf(session, event), one.at, 2 * one.path + (one.fits ? 1 : 0))
          continue
        }
        if (session !== last) end()
        last = session
        visit.push(one)
      }
    })
    end()
  }
  open.each((times, codes) => {
    count(Array.from(times, (at, i) => ({ at, path: (codes[i] ?? 0) >> 1, fits: (codes[i] ?? 0) % 2 === 1 })))
  })
  const rows = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  return {
    results: rows.slice(0, limit).map(([text, n]) => ({ page: text, views: n, share: percentOf(n, views) })),
    total: { views },
  }
}
