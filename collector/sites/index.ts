/** The sites of a deployment: what is tracked, under which consent, in which time zone. */

export { dayOf, readTime, startOfDay, type ZoneDay } from '../zone.ts'
export * from './keys.ts'
export * from './sites.ts'
