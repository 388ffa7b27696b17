import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Params, Problem } from '../shell/api.ts'
import { useShell } from '../shell/context.ts'
import type { Role } from '../shell/me.ts'
import { strings } from '../strings.ts'
import { Ask } from '../ui/Ask.tsx'
import { Form, problemText } from '../ui/Form.tsx'
import { say } from '../ui/Said.tsx'

export interface RowProps<T> {
  one: T
  /** Reads the list again. */
  reload(): void
  /** Shows what was made, as after the form. */
  show(made: T): void
}

/** One of a site's lists: how it is asked for and shown. */
export interface Kind<T> {
  /** of the API, the field of its answer, and the tab */
  path: 'goals' | 'properties' | 'keys' | 'people' | 'shares'
  /** the role that changes it */
  takes: Role
  /** unique in the list, and what it is called */
  name(one: T): string
  title(one: T): string
  /** which one it is, to the API */
  named(one: T): Params
  Row(props: RowProps<T>): ComponentChildren
  /** whether nothing of it changes by itself; so it is with all if absent */
  isDone?(one: T): boolean
  /** more buttons of who may change it */
  Tools?(props: RowProps<T>): ComponentChildren
  /** what the form asks for */
  Fields(props: { list: readonly T[] }): ComponentChildren
  /** the body that is sent */
  read(form: FormData): unknown
  /** the field of the form that a problem is about, by its code */
  at: Readonly<Record<string, string>>
  /** what of a new one is to be copied, if anything */
  Made?(props: { made: T }): ComponentChildren
}

/** How often a list is read again while something of it changes, ms. */
const EVERY = 5_000

/** A list, a form for another one, and a question before one is removed. */
export function Listing<T>({ kind }: { kind: Kind<T> }) {
  const { api, site, may, address, go } = useShell()
  const { path, Row, Tools, Fields, Made } = kind
  const words = strings.manage[path]
  const common = strings.manage
  const [list, setList] = useState<T[] | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [doomed, doom] = useState<T | null>(null)
  const [made, show] = useState<T | null>(null)
  const box = useRef<HTMLElement>(null)
  const params = { site: site?.key ?? '' }
  const reload = async () => {
    const answer = await api.get<Record<string, T[]>>(path, params)
    setProblem(answer.ok ? null : answer.problem)
    if (answer.ok) setList(answer.body[path] ?? [])
  }
  useEffect(() => void reload(), [])
  useEffect(() => {
    if (!kind.isDone || !list || list.every(kind.isDone)) return
    const timer = setTimeout(reload, EVERY)
    return () => clearTimeout(timer)
  }, [list])
  const changes = may(kind.takes)
  const adding = changes && address.params.add !== undefined
  const focus = (selector: string) => box.current?.querySelector<HTMLElement>(selector)?.focus()
  useEffect(() => {
    if (adding) focus('.form input:not([type=radio]), .form input:checked')
  }, [adding, list === null])
  useEffect(() => {
    if (made) focus('.made')
  }, [made])
  const close = () => {
    go({ params: { tab: path } }, true)
    setTimeout(focus, 0, 'h2')
  }

  return (
    <section ref={box} class="listing" aria-labelledby={`${path}-title`} aria-busy={list === null && !problem}>
      <div class="panel-head">
        <h2 id={`${path}-title`} tabIndex={-1}>
          {common.tabs[path]}
        </h2>
        {changes && !adding && (
          <button type="button" class="button primary" onClick={() => go({ params: { tab: path, add: '1' } })}>
            {words.add}
          </button>
        )}
      </div>
      <p class="lead">{words.lead}</p>
      {problem && (
        <p class="error" role="alert">
          {problemText(problem)}{' '}
          <button type="button" class="button" onClick={reload}>
            {common.again}
          </button>
        </p>
      )}
      {made && Made && (
        <section class="panel block made" tabIndex={-1} aria-label={kind.title(made)}>
          <Made made={made} />
          <p class="form-end">
            <button
              type="button"
              class="button"
              onClick={() => {
                show(null)
                focus('h2')
              }}
            >
              {common.done}
            </button>
          </p>
        </section>
      )}
      {adding && list && (
        <div class="panel block">
          <h3>{words.add}</h3>
          <Form
            act={words.act}
            at={kind.at}
            onCancel={close}
            send={async form => {
              const answer = await api.send<T>('POST', path, params, kind.read(form))
              if (answer.ok) {
                say(common.made(kind.title(answer.body)))
                close()
                show(answer.body)
                await reload()
              }
              return answer
            }}
          >
            <Fields list={list} />
          </Form>
        </div>
      )}
      {list?.length === 0 && !adding && <p class="nothing">{words.empty}</p>}
      {list && list.length > 0 && (
        <ul class="rows panel">
          {list.map(one => (
            <li key={kind.name(one)}>
              <div class="row-text">
                <Row one={one} reload={reload} show={show} />
              </div>
              {changes && (
                <p class="row-tools">
                  {Tools && <Tools one={one} reload={reload} show={show} />}
                  <button
                    type="button"
                    class="button"
                    aria-label={`${words.remove} ${kind.title(one)}`}
                    onClick={() => doom(one)}
                  >
                    {words.remove}
                  </button>
                </p>
              )}
            </li>
          ))}
        </ul>
      )}
      {doomed && (
        <Ask
          title={`${words.remove} “${kind.title(doomed)}”?`}
          text={words.removing}
          act={words.remove}
          grave
          onCancel={() => doom(null)}
          send={async () => {
            const answer = await api.send('DELETE', path, { ...params, ...kind.named(doomed) })
            if (answer.ok) {
              say(common.removed(kind.title(doomed)))
              doom(null)
              await reload()
              focus('h2')
            }
            return answer
          }}
        />
      )}
    </section>
  )
}
