import type { ComponentChildren } from 'preact'
import type { Address } from './address.ts'
import { useShell } from './context.ts'

interface LinkProps {
  /** what it changes of the address */
  to: Partial<Address>
  class?: string
  title?: string
  'aria-current'?: 'page' | 'true' | undefined
  children: ComponentChildren
}

/** A link within the dashboard: a plain click does not load the page anew, any other (a new tab) is the browser's. */
export function Link({ to, children, ...rest }: LinkProps) {
  const { go, href } = useShell()
  return (
    <a
      {...rest}
      href={href(to)}
      onClick={event => {
        if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        go(to)
      }}
    >
      {children}
    </a>
  )
}
