import { useShell } from '../shell/context.ts'
import { Link } from '../shell/Link.tsx'
import type { Site } from '../shell/me.ts'
import { strings } from '../strings.ts'
import { Said } from '../ui/Said.tsx'
import { AddSite } from './AddSite.tsx'
import { Install } from './Install.tsx'
import { Sign } from './Sign.tsx'
import { useSigns } from './signs.ts'

/** All sites of whoever looks; a new one is made here. */
export function Sites() {
  const { address, me, site } = useShell()
  const { add, install } = address.params
  if (me.kind === 'share') return null
  if (me.owner && (add || me.sites.length === 0)) return <AddSite />
  return (
    <>
      {install && site ? <Install site={site} /> : <List />}
      <Said />
    </>
  )
}

function List() {
  const { me } = useShell()
  const words = strings.manage.site
  const signs = useSigns()
  return (
    <>
      <div class="panel-head">
        <h2>{words.all}</h2>
        {me.owner && (
          <Link class="button primary" to={{ params: { add: '1' } }}>
            {words.add}
          </Link>
        )}
      </div>
      <ul class="sites">
        {me.sites.map(site => (
          <Card key={site.key} site={site} views={signs.get(site.key)} />
        ))}
      </ul>
    </>
  )
}

function Card({ site, views }: { site: Site; views: readonly number[] | undefined }) {
  const { me } = useShell()
  const { key, domain, consent, timezone, role } = site
  const words = strings.manage
  return (
    <li class="panel block">
      <h3>
        <Link to={{ view: 'overview', site: key, params: {} }}>
          <bdi>{domain || key}</bdi>
        </Link>
      </h3>
      <p class="note facts">
        <bdi>{key}</bdi>
        <span>{strings.consentMode[consent] ?? consent}</span>
        <bdi>{timezone}</bdi>
        {!me.owner && <span>{words.roles[role]}</span>}
      </p>
      <Sign views={views} />
      <p class="form-end">
        <Link class="button" to={{ view: 'live', site: key, params: {} }}>
          {strings.shell.views.live}
        </Link>
        {role !== 'viewer' && (
          <Link class="button" to={{ site: key, params: { install: '1' } }}>
            {words.install.link}
          </Link>
        )}
        <Link class="button" to={{ view: 'settings', site: key, params: {} }}>
          {strings.shell.views.settings}
        </Link>
      </p>
    </li>
  )
}
