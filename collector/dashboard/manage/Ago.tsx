import { useShell } from '../shell/context.ts'

/** When something was, as “3 days ago”. @param at as the API says times */
export function Ago({ at }: { at: string }) {
  const { words } = useShell()
  const ms = Date.parse(at)
  return (
    <time dateTime={at} title={new Date(ms).toLocaleString()}>
      {words.ago(Date.now() - ms)}
    </time>
  )
}
