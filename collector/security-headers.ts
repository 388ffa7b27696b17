/** Headers that keep other sites and scripts out of pages and answers. */
import type { RequestHandler } from 'express'
import helmet from 'helmet'

/** @param framed whether other sites may show the page in a frame */
const headers = (framed: boolean): RequestHandler =>
  helmet({
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
        frameAncestors: [framed ? '*' : "'none'"],
      },
    },
    ...(framed && { xFrameOptions: false }),
    // Not `no-referrer`: of a form on such a page browsers say no origin, by which it is known as our own.
    referrerPolicy: { policy: 'same-origin' },
    // Whether a host is served over TLS for good is for its owner to say, at the proxy.
    strictTransportSecurity: false,
  })

export const securityHeaders = headers(false)
export const framedHeaders = headers(true)
