import type { Command } from '../shell/commands.ts'
import { strings } from '../strings.ts'
import { shifted } from './dates.ts'
import { COMPARISONS, RANGES } from './params.ts'
import type { Report } from './report.ts'

/** Keys of ranges that are asked for often; those of the shell are taken already. */
const KEYS: Readonly<Record<string, string>> = {
  today: 'd',
  '24h': 'h',
  '7d': 'w',
  '30d': 'r',
  month: 'm',
  year: 'y',
  all: 'a',
}

/** Elements of the toolbar that commands press, as the shell's theme button is. */
const press = (what: string) => document.querySelector<HTMLElement>(`[data-overview="${what}"]`)?.click()

export function commandsOf({ shown, change, day }: Report): Command[] {
  const { commands: words, ranges, comparisons, earlier, later } = strings.overview
  const step = (by: 1 | -1, title: string, key: string): Command[] => {
    const range = shifted(shown.range, day, by)
    return range ? [{ id: `shift-${by}`, title, key, run: () => change({ range }) }] : []
  }
  return [
    ...Object.keys(RANGES)
      .filter(name => name !== shown.range)
      .map(name => ({
        id: `range-${name}`,
        title: words.range(ranges[name] ?? name),
        ...(KEYS[name] && { key: KEYS[name] }),
        run: () => change({ range: name }),
      })),
    { id: 'dates', title: words.dates, key: 'c', run: () => press('dates') },
    ...step(-1, earlier, '['),
    ...step(1, later, ']'),
    { id: 'filter', title: words.filter, key: '/', run: () => press('filter') },
    ...(shown.filters.length > 0 ? [{ id: 'clear', title: words.clear, key: 'x', run: () => change({ f: '' }) }] : []),
    ...COMPARISONS.filter(one => one !== shown.compare).map(one => ({
      id: `compare-${one}`,
      title: words.compare(comparisons[one] ?? one),
      run: () => change({ compare: one }),
    })),
  ]
}
