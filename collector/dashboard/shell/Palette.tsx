import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { strings } from '../strings.ts'
import { Dialog } from '../ui/Dialog.tsx'
import type { Command } from './commands.ts'

interface PaletteProps {
  commands: Command[]
  onClose(): void
}

/** Everything that can be done here, found by a few letters of its name. */
export function Palette({ commands, onClose }: PaletteProps) {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const field = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => field.current?.focus(), [])
  const found = useMemo(() => commands.filter(({ title }) => matches(title, text)), [commands, text])
  const chosen = Math.min(at, found.length - 1)
  useEffect(() => list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' }), [chosen])
  const run = (command: Command | undefined) => {
    if (!command) return
    onClose()
    command.run()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) setAt((chosen + step + found.length) % Math.max(1, found.length))
    else if (event.key === 'Enter') run(found[chosen])
    else return
    event.preventDefault()
  }
  return (
    <Dialog title={strings.shell.palette} onClose={onClose} class="palette">
      <input
        ref={field}
        class="field"
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={found[chosen] && `command-${found[chosen].id}`}
        aria-label={strings.shell.paletteSearch}
        placeholder={strings.shell.paletteSearch}
        autoComplete="off"
        spellcheck={false}
        value={text}
        onInput={event => {
          setText(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div id="commands" role="listbox" aria-label={strings.shell.palette} ref={list} class="commands">
        {found.map((command, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          <div
            key={command.id}
            id={`command-${command.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            onClick={() => run(command)}
          >
            {command.title}
            {command.key && <kbd>{command.key}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="nothing">{strings.shell.paletteNone}</p>}
    </Dialog>
  )
}

/** Whether each word of the text is somewhere in the title. */
export function matches(title: string, text: string): boolean {
  const low = title.toLocaleLowerCase()
  return text
    .toLocaleLowerCase()
    .split(/\s+/)
    .every(word => low.includes(word))
}
