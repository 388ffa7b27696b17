import { useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks'
import { Live } from '../live/Live.tsx'
import { startWatching } from '../live/session.ts'
import { Mails } from '../mails/Mails.tsx'
import { Settings } from '../manage/Settings.tsx'
import { Sites } from '../manage/Sites.tsx'
import { makingCommands } from '../manage/tabs.ts'
import { Overview } from '../overview/Overview.tsx'
import { strings } from '../strings.ts'
import { format } from '../ui/format.ts'
import { type Address, hrefOf, readAddress, type ViewName } from './address.ts'
import { ASK_AGAIN, createApi } from './api.ts'
import { BASE } from './base.ts'
import { type Command, createCommands, useCommands } from './commands.ts'
import { type Shell, ShellContext } from './context.ts'
import { Frame, viewsFor } from './Frame.tsx'
import { keysAreOff, listenForKeys, switchKeys } from './keys.ts'
import { fetchMe, type MeAnswer, mayAs } from './me.ts'
import { LinkRevoked, SignedOut } from './Notice.tsx'
import { Palette } from './Palette.tsx'
import { SharePassword } from './SharePassword.tsx'

const VIEW: Record<ViewName, () => preact.ComponentChildren> = {
  overview: Overview,
  live: Live,
  mails: Mails,
  sites: Sites,
  settings: Settings,
}

const here = (): Address => readAddress(location.pathname, location.search, BASE)
let pass: string | null = here().share
const api = createApi(window.fetch.bind(window), BASE, () => pass)
const commands = createCommands()
const watching = startWatching(window, () => ({ base: BASE, pass }))

/** The whole page: who looks, at what, and around it what all views share. */
export function App() {
  const [address, setAddress] = useState(here)
  const [answer, setAnswer] = useState<MeAnswer | null>(null)
  const refresh = async () => setAnswer(await fetchMe(api))
  useEffect(() => {
    void refresh()
    const moved = () => setAddress(here())
    window.addEventListener('popstate', moved)
    return () => window.removeEventListener('popstate', moved)
  }, [])
  useEffect(() => {
    if (answer?.kind !== 'unreachable') return
    const timer = setTimeout(refresh, ASK_AGAIN)
    return () => clearTimeout(timer)
  }, [answer])

  if (answer?.kind === 'share-password')
    return (
      <SharePassword
        api={api}
        share={address.share ?? ''}
        onTicket={ticket => {
          pass = `${address.share}.${ticket}`
          void refresh()
        }}
      />
    )
  if (answer?.kind !== 'me') return <Before kind={answer?.kind ?? 'loading'} />
  const { me } = answer
  const named = me.sites.find(({ key }) => key === address.site)
  const site = named ?? me.sites[0] ?? null
  const go: Shell['go'] = (change, replace = false) => {
    const next = { ...address, site: site?.key ?? null, ...change }
    history[replace ? 'replaceState' : 'pushState'](null, '', hrefOf(next, BASE))
    setAddress(next)
    if (!replace && change.view && change.view !== address.view) scrollTo(0, 0)
  }
  return (
    <Shown
      shell={{
        address,
        go,
        href: change => hrefOf({ ...address, site: site?.key ?? null, ...change }, BASE),
        api,
        me,
        site,
        may: role => site !== null && mayAs(site.role, role),
        refresh,
        watching,
        commands,
      }}
    />
  )
}

function Shown({ shell }: { shell: Omit<Shell, 'words'> }) {
  const { address, site, me, go } = shell
  const [open, setOpen] = useState(false)
  const zone = site?.timezone ?? 'UTC'
  const words = useMemo(() => format(undefined, zone), [zone])
  const key = site?.key ?? null
  useEffect(() => watching.show(key), [key])
  // An address without a site, or with one that is not there, says which is shown.
  useEffect(() => {
    if (address.share === null && key !== null && key !== address.site) go({ site: key }, true)
  }, [key, address.site])
  useEffect(() => {
    document.title = [site?.domain, strings.shell.views[address.view], strings.product].filter(Boolean).join(' · ')
  }, [site, address.view])
  // As the commands: with what is drawn.
  useLayoutEffect(() => listenForKeys(commands, () => setOpen(true)), [])
  useCommands(commands, () => general(shell), [me, address])
  const View = VIEW[address.view]
  return (
    <ShellContext.Provider value={{ ...shell, words }}>
      <Frame onPalette={() => setOpen(true)}>
        <View key={key} />
      </Frame>
      {open && <Palette commands={commands.list()} onClose={() => setOpen(false)} />}
    </ShellContext.Provider>
  )
}

/** What can be done in every view. */
function general(shell: Omit<Shell, 'words'>): Command[] {
  const { me, go, address } = shell
  const keys: Record<ViewName, string> = { overview: 'o', live: 'l', mails: 'n', sites: 's', settings: 'e' }
  const views = viewsFor(me.kind === 'share')
  return [
    ...views
      .filter(view => view !== address.view)
      .map(view => ({
        id: `view-${view}`,
        title: strings.shell.goTo(strings.shell.views[view] ?? view),
        key: keys[view],
        run: () => go({ view, params: {} }),
      })),
    ...me.sites
      .filter(({ key }) => me.kind !== 'share' && key !== address.site)
      .map(({ key, domain }) => ({
        id: `site-${key}`,
        title: strings.shell.show(domain || key),
        run: () => go({ site: key, params: {} }),
      })),
    ...makingCommands(shell),
    {
      id: 'theme',
      title: strings.shell.switchTheme,
      key: 't',
      run: () => document.querySelector<HTMLElement>('[data-theme-button]')?.click(),
    },
    { id: 'keys', title: keysAreOff() ? strings.shell.keysOn : strings.shell.keysOff, run: switchKeys },
    { id: 'print', title: strings.shell.print, run: () => window.print() },
  ]
}

/** While it is not known who looks. */
function Before({ kind }: { kind: 'loading' | Exclude<MeAnswer['kind'], 'me' | 'share-password'> }) {
  return (
    <main id="main" aria-busy={kind === 'loading'}>
      {kind === 'signed-out' && <SignedOut />}
      {kind === 'share-unknown' && <LinkRevoked />}
      {kind === 'loading' && <p class="visually-hidden">{strings.loading}</p>}
      {kind === 'unreachable' && (
        <section class="notice quiet" role="status">
          <h2>{strings.notice.reconnecting.title}</h2>
          <p>{strings.shell.askedAgain}</p>
        </section>
      )}
    </main>
  )
}
