import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'

/** What each room may import, beside itself: the way in which an event travels, against the stream. */
const MAY: Record<string, string[]> = {
  tag: ['consent'],
  consent: ['tag'],
  'collector/store': [],
  'collector/sites': ['collector/store'],
  'collector/people': ['collector/store'],
  'collector/journal': ['collector/store'],
  'collector/settle': ['consent', 'collector/journal', 'collector/store'],
  'collector/rollup': ['collector/settle', 'collector/journal', 'collector/store'],
  'collector/sketch': ['collector/rollup', 'collector/settle', 'collector/journal', 'collector/store'],
  'collector/columns': [
    'collector/sketch',
    'collector/rollup',
    'collector/settle',
    'collector/journal',
    'collector/sites',
    'collector/store',
  ],
  'collector/intake': ['tag', 'collector/journal', 'collector/sites', 'collector/store'],
  'collector/email': ['collector/intake', 'collector/journal', 'collector/sites', 'collector/store'],
  'collector/live': ['collector/rollup', 'collector/settle', 'collector/journal', 'collector/sites', 'collector/store'],
  'collector/query': [
    'consent',
    'collector/columns',
    'collector/sketch',
    'collector/rollup',
    'collector/settle',
    'collector/journal',
    'collector/sites',
    'collector/store',
  ],
  'collector/export': ['collector/settle', 'collector/journal', 'collector/sites', 'collector/store'],
  'collector/verify': ['collector/rollup', 'collector/settle', 'collector/journal', 'collector/store'],
  'collector/seed': [
    'collector/rollup',
    'collector/settle',
    'collector/intake',
    'collector/journal',
    'collector/sites',
    'collector/store',
  ],
  'collector/status': ['collector/settle', 'collector/journal', 'collector/store'],
  // Pages in the browser: they know the shapes of what they are sent.
  'collector/dashboard': ['collector/email', 'collector/live', 'collector/query', 'collector/sites'],
}
/** Files that are shapes or figures only and may be imported by name. */
const SHAPES = [
  'tag/wire.ts',
  'collector/email/report-shape.ts',
  'collector/live/messages.ts',
  'collector/query/schema.ts',
  'collector/sites/decimals.ts',
]
/** What belongs to no room and may be used by all: `collector/*.ts` of these names. */
const COMMON = ['as-it-comes', 'believed', 'log', 'get-or-add', 'within', 'zone'].map(name => `collector/${name}.ts`)

const root = join(import.meta.dirname, '..')
const tops = ['tag', 'consent', 'collector'].filter(top => existsSync(join(root, top)))
const files = tops.flatMap(top =>
  readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name))
    .map(name => join(top, name)),
)
const roomOf = (file: string): string =>
  file.startsWith('collector/') ? file.split('/').slice(0, 2).join('/') : (file.split('/')[0] ?? '')
const isRoom = (room: string) => room in MAY

function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path = '']) =>
    relative(root, join(root, dirname(file), path)),
  )
}

it('rooms import one way, and other rooms only by their door', () => {
  const wrong = files
    .filter(file => isRoom(roomOf(file)))
    .flatMap(file =>
      imports(file)
        .filter(target => {
          const [from, to] = [roomOf(file), roomOf(target)]
          if (from === to || COMMON.includes(target)) return false
          if (!isRoom(to) || !MAY[from]?.includes(to)) return true
          return !target.endsWith('/index.ts') && !SHAPES.includes(target) && to !== 'tag' && to !== 'consent'
        })
        .map(target => `${file} → ${target}`),
    )
  expect(wrong).toEqual([])
})

it('the tag imports nothing that runs from its shapes', () => {
  const wrong = files
    .filter(file => roomOf(file) === 'tag' && file !== 'tag/wire.ts')
    .filter(file => /^import (?!type )[^'\n]*'[^'\n]*wire\.ts'/m.test(readFileSync(join(root, file), 'utf8')))
  expect(wrong).toEqual([])
})
