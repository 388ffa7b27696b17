/** The SharedWorker that holds the streams of all tabs: a script of its own. */
import { createExchange, HERE_MS, type ToExchange } from './exchange.ts'
import { openSource, type Scope, urlOf } from './source.ts'

const scope = globalThis as unknown as Scope & EventTarget
const exchange = createExchange(
  (ask, heard, before) => openSource(ask, scope, heard, before),
  ask => urlOf(ask, scope.fetch.bind(scope)),
  () => performance.now(),
)
setInterval(exchange.sweep, HERE_MS)
scope.addEventListener('connect', event => {
  const [port] = (event as MessageEvent).ports
  if (port) port.onmessage = ({ data }: MessageEvent<ToExchange>) => exchange.heard(port, data)
})
