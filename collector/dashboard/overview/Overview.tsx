import { useState } from 'preact/hooks'
import { Empty } from '../live/Empty.tsx'
import { useShell } from '../shell/context.ts'
import type { Site } from '../shell/me.ts'
import { useNow } from '../shell/store.ts'
import { strings } from '../strings.ts'
import { today } from './dates.ts'
import { ReportView } from './ReportView.tsx'
import { usePicked } from './report.ts'

/** How the site does: totals, their course, and by what. */
export function Overview() {
  const { site } = useShell()
  return site && <OfSite site={site} />
}

function OfSite({ site }: { site: Site }) {
  const { watching, me } = useShell()
  const isNew = usePicked(watching.view, ({ live }) => live?.everSeen === false)
  const [day, setDay] = useState(today(Date.now(), site.timezone))
  return (
    <>
      <Midnight timezone={site.timezone} onDay={setDay} />
      {isNew && me.kind === 'share' && <p class="panel never">{strings.overview.never}</p>}
      {isNew && me.kind !== 'share' && <Empty site={site} origin={location.origin} />}
      {/* Another day is another today: everything is asked anew. */}
      {!isNew && <ReportView key={day} site={site} day={day} />}
    </>
  )
}

function Midnight({ timezone, onDay }: { timezone: string; onDay(day: string): void }) {
  onDay(today(useNow(1_000), timezone))
  return null
}
