/** What TypeScript says to those who declare their events. `npm run check` checks the types that are expected here. */
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { createTag, type EventMap, type Global } from '../../tag/index.ts'

interface Events {
  signup: { plan: 'free' | 'pro' }
  search: { words?: string; hits?: number }
}
const root = join(import.meta.dirname, '../..')

/** Messages of the compiler about a site's file, which is on no disk. */
function complaints(text: string): string[] {
  const file = join(root, 'test/tag/site-of-a-test.ts')
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    root,
  )
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, rest[0]) : read(name, ...rest)
  const exists = host.fileExists
  host.fileExists = name => name === file || exists(name)
  const program = ts.createProgram([file], options, host)
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(file))
    .map(
      ({ messageText, start = 0 }) =>
        `${text.slice(0, start).split('\n').length}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    )
}

describe('track', () => {
  const tag = createTag<Events>({ site: 'shop', url: 'https://stats.example/e' })

  it('takes the events that are declared, with their properties and options', () => {
    tag.track('signup', { plan: 'pro' })
    tag.track('signup', { plan: 'free' }, { id: 'customer-7' })
    tag.track('search')
    tag.track('search', { hits: 3 })
    expectTypeOf(tag.track).toBeCallableWith('signup', { plan: 'pro' })
    // @ts-expect-error: no such event
    tag.track('sign_up', { plan: 'pro' })
    // @ts-expect-error: no such plan
    tag.track('signup', { plan: 'gold' })
    // @ts-expect-error: a plan is needed
    tag.track('signup')
    // @ts-expect-error: properties of another event
    tag.track('search', { plan: 'pro' })
    // @ts-expect-error: no such option
    tag.track('search', {}, { ident: 'x' })
  })

  it('takes anything where nothing is declared', () => {
    const free = createTag({ site: 'shop', url: 'https://stats.example/e' })
    free.track('anything', { of: ['any', 'kind'] })
    free.track('anything')
    expectTypeOf<keyof EventMap>().toEqualTypeOf<never>()
    // @ts-expect-error: a name is a text
    free.track(7)
  })

  it('is as strict when it is called as a command of the global', () => {
    const livetag: Global<Events> = () => {}
    livetag('track', 'signup', { plan: 'pro' })
    livetag('grant', ['measure'])
    livetag('deny')
    // @ts-expect-error: a plan is needed
    livetag('track', 'signup')
    // @ts-expect-error: no such purpose
    livetag('grant', ['advertise'])
    // @ts-expect-error: no such call
    livetag('consent')
  })

  it('knows the events that a site adds to EventMap, in every file', () => {
    expect(
      complaints(`import { createTag, type Global } from '../../tag/index.ts'
declare module '../../tag/index.ts' {
  interface EventMap { signup: { plan: string } }
}
declare const livetag: Global
createTag({ site: 'shop', url: '/e' }).track('signup', { plan: 'pro' })
livetag('track', 'signup', { plan: 'pro' })
createTag({ site: 'shop', url: '/e' }).track('signup', { plan: 1 })
livetag('track', 'login', {})`).map(complaint => complaint.split(':')[0]),
    ).toEqual(['8', '9'])
  }, 60_000)
})
