/**
 * Cookieless visitors: who they are on one day of one site, made of what every request tells anyway. The address is cut to
 * its network before it is hashed (CNIL and the EDPB's guidelines 2/2023 ask that), and neither is kept anywhere.
 */
import { createHmac } from 'node:crypto'

/**
 * A visitor's name on a site for one day: `~` and 22 characters of base64url (128 bits of HMAC-SHA-256). No device can send
 * such an id, as none there begins with `~`.
 * @param salt of the day
 * @param network the truncated address
 */
export const cookielessVisitor = (salt: Buffer, site: string, network: string, userAgent: string): string =>
  `~${createHmac('sha256', salt)
    .update(JSON.stringify([site, network, userAgent]))
    .digest('base64url')
    .slice(0, 22)}`
