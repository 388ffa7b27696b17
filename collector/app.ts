/** Everything that is not a hot route: pages, assets, the API. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import staticGzip from 'express-static-gzip'
import { type ApiParts, apiRoutes } from './api.ts'
import { PAGE_PATHS, pageRoutes } from './pages.ts'
import { problem } from './problem.ts'
import { securityHeaders } from './security-headers.ts'
import { serveTag } from './tag-script.ts'
import { serveVitals } from './vitals-script.ts'

export interface AppParts extends ApiParts {
  /** what `npm run build` made */
  folder: string
  /** see `Pipeline` */
  fenced: boolean
  /** whether an address is a proxy whose headers are believed */
  trusts(address: string): boolean
}

const YEAR = 31_536_000_000

export function createApp(parts: AppParts): Express {
  const { db, fenced, folder, sites, log, readiness, trusts } = parts
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', trusts)
  app.get('/healthz', (_, response) => void response.json({ product: 'livetag', status: 'alive' }))
  app.get('/readyz', async (_, response) => {
    const why = await readiness.why()
    if (why) response.set('retry-after', '2')
    response.status(why ? 503 : 200).json({ status: why ? 'not ready' : 'ready', fenced, ...(why && { why }) })
  })
  app.get('/t/:file', serveVitals(folder), serveTag(folder, sites, db))
  // On our own paths only: mounted in an app of one's own, its other pages must not get our headers.
  app.use(['/assets', '/demo', '/api/v2'], securityHeaders)
  app.all(PAGE_PATHS, securityHeaders)
  app.use(
    '/assets',
    staticGzip(`${folder}dashboard/assets`, {
      enableBrotli: true,
      orderPreference: ['br'],
      index: false,
      serveStatic: { immutable: true, maxAge: YEAR },
    }),
  )
  app.use('/demo', express.static(`${folder}demo`))
  app.use(pageRoutes(parts))
  app.use('/api/v2', apiRoutes(parts))
  const failed: ErrorRequestHandler = (error, _request, response, _next) => {
    // What has begun can only be cut, so that nobody takes it for whole.
    if (response.headersSent) {
      log.error({ err: error }, 'a request failed')
      if (!response.writableEnded) response.destroy()
      return
    }
    const { status = 500, type } = error as { status?: number; type?: string }
    if (type === 'entity.too.large') return problem(response, 'body-too-large')
    if (type === 'entity.parse.failed') return problem(response, 'body-invalid', 'It is not JSON.')
    if (status < 500) return problem(response, 'parameter-invalid')
    log.error({ err: error }, 'a request failed')
    problem(response, 'unavailable')
  }
  app.use(failed)
  return app
}

/** What is at no path: a page for people, a problem for programs. */
export const notFound =
  (folder: string): RequestHandler =>
  (request, response, next) =>
    securityHeaders(request, response, error => {
      if (error) return next(error)
      if (request.path.startsWith('/api/') || !request.accepts('html')) return problem(response, 'not-found')
      response.status(404).sendFile('404.html', { root: `${folder}dashboard` })
    })
