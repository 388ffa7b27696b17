/** Everything that is not a hot route: pages, assets, the API. */
import { readFile } from 'node:fs/promises'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import staticGzip from 'express-static-gzip'
import helmet from 'helmet'
import type { Access } from './access.ts'
import { type ApiParts, apiRoutes } from './api.ts'
import { problem } from './problem.ts'
import { serveTag } from './tag-script.ts'
import { serveVitals } from './vitals-script.ts'

export interface AppParts extends ApiParts {
  access: Access
  /** what `npm run build` made */
  folder: string
  /** see `Pipeline` */
  fenced: boolean
  /** whether an address is a proxy whose headers are believed */
  trusts(address: string): boolean
}

const YEAR = 31_536_000_000
/** Paths of the dashboard: one page, which knows by its address what to show. */
const VIEWS = ['/overview', '/live', '/sites', '/settings']

export function createApp(parts: AppParts): Express {
  const { access, db, fenced, folder, sites, log, readiness, trusts } = parts
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
  app.all(['/', ...VIEWS, '/login', '/logout'], securityHeaders)
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
  app.use(pages(access, folder))
  app.use('/api/v2', apiRoutes(parts))
  const failed: ErrorRequestHandler = (error, _request, response, next) => {
    if (response.headersSent) return next(error)
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

const securityHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      workerSrc: ["'self'"],
      fontSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  // Whether a host is served over TLS for good is for its owner to say, at the proxy.
  strictTransportSecurity: false,
})

function pages(access: Access, folder: string): express.Router {
  const router = express.Router()
  /** Its own paths are written for the root: mounted elsewhere, they lie below that. */
  const page =
    (name: string): RequestHandler =>
    async ({ baseUrl }, response) => {
      const html = await readFile(`${folder}dashboard/${name}`, 'utf8')
      const base = baseUrl.replace(/["<>&]/g, encodeURIComponent)
      response
        .set('cache-control', 'no-store')
        .type('html')
        .send(html.replaceAll('="/', `="${base}/`))
    }
  router.get('/', (request, response) => response.redirect(`${request.baseUrl}/overview`))
  router.get(VIEWS, (request, response, next) => {
    if (access.allows(request)) return page('app.html')(request, response, next)
    response.redirect(`${request.baseUrl}/login`)
  })
  router.get('/login', (request, response, next) => {
    const { token } = request.query
    // A preview or a scanner asks with HEAD: that must not use up the link.
    if (typeof token !== 'string' || request.method === 'HEAD') return page('login.html')(request, response, next)
    // A second click on a used link by somebody who is signed in already should just work.
    if (access.redeem(token))
      response.set('set-cookie', access.cookie(request.secure)).redirect(303, `${request.baseUrl}/overview`)
    else response.redirect(303, request.baseUrl + (access.allows(request) ? '/overview' : '/login?error=used'))
  })
  router.post('/login', express.urlencoded({ extended: false, limit: '4kb' }), (request, response) => {
    const { key } = (request.body ?? {}) as { key?: unknown }
    if (typeof key === 'string' && access.isOwnerKey(key.trim())) {
      response.set('set-cookie', access.cookie(request.secure)).redirect(303, `${request.baseUrl}/overview`)
    } else response.redirect(303, `${request.baseUrl}/login?error=wrong`)
  })
  router.post('/logout', (request, response) =>
    response.set('set-cookie', access.noCookie()).redirect(303, `${request.baseUrl}/login`),
  )
  return router
}
