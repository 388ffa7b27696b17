import { useEffect, useRef, useState } from 'preact/hooks'
import { strings } from '../strings.ts'

type Outcome = 'copied' | 'copyFailed'

/** Code with a button that copies it. */
export function CopyBlock({ text }: { text: string }) {
  const code = useRef<HTMLElement>(null)
  const [outcome, setOutcome] = useState<Outcome | null>(null)
  useEffect(() => {
    if (!outcome) return
    const timer = setTimeout(() => setOutcome(null), 3_000)
    return () => clearTimeout(timer)
  }, [outcome])
  return (
    <div class="copy">
      <pre dir="ltr">
        <code ref={code}>{text}</code>
      </pre>
      <button type="button" class="button" onClick={async () => setOutcome(await copy(text, code.current))}>
        <span aria-live="polite">{strings[outcome ?? 'copy']}</span>
      </button>
    </div>
  )
}

/** The clipboard needs a secure context, which a collector on the local network may not be: then the text is selected. */
async function copy(text: string, code: HTMLElement | null): Promise<Outcome> {
  try {
    await navigator.clipboard.writeText(text)
    return 'copied'
  } catch {
    if (code) getSelection()?.selectAllChildren(code)
    return 'copyFailed'
  }
}
