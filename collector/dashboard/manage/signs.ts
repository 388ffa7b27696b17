/** A sign of life of each site: its page views of the last half hour, asked of the API one site after another. */
import { useEffect, useState } from 'preact/hooks'
import { useShell } from '../shell/context.ts'

/** page views by minute, the oldest first; as many as the half hour has */
export type Signs = ReadonlyMap<string, readonly number[]>

export const MINUTES = 30
/** How long until they are asked again, ms */
const EVERY = 60_000
/** A list that is longer shows no more of them: each is a question. */
const MOST = 50

const QUESTION = { metrics: ['pageviews'], date_range: '30m', dimensions: ['time:minute'] }

interface Rows {
  results: { dimensions: [time: string]; metrics: [views: number] }[]
  query: { date_range: [string, string] }
}

/** Local times as UTC ones: within half an hour only their distance counts. */
const timeOf = (local: string): number => Date.parse(`${local.slice(0, 16).replace(' ', 'T')}Z`)

/** @param from first minute of the range, in the site's zone as the rows' own times; minutes without views have no row */
export function toMinutes(rows: Rows['results'], from: string): number[] {
  const minutes = new Array<number>(MINUTES).fill(0)
  for (const { dimensions, metrics } of rows) {
    const at = Math.round((timeOf(dimensions[0]) - timeOf(from)) / 60_000)
    if (at in minutes) minutes[at] = metrics[0]
  }
  return minutes
}

export function useSigns(): Signs {
  const { api, me } = useShell()
  const [signs, setSigns] = useState<Signs>(new Map())
  useEffect(() => {
    let stopped = false
    let timer = 0
    const ask = async () => {
      for (const { key } of document.hidden ? [] : me.sites.slice(0, MOST)) {
        const question = { ...QUESTION, site_id: key }
        const answer = await api.send<Rows>('POST', 'query', {}, question)
        if (stopped) return
        if (!answer.ok) continue
        const { results, query } = answer.body
        setSigns(before => new Map(before).set(key, toMinutes(results, query.date_range[0])))
      }
      timer = window.setTimeout(ask, EVERY)
    }
    void ask()
    return () => {
      stopped = true
      window.clearTimeout(timer)
    }
  }, [me])
  return signs
}
