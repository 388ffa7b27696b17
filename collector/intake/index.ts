/**
 * Intake: requests go in; each event is accepted into the journal or rejected with a reason of a closed list. It
 * promises that nothing is answered as taken before it is durable, that no input crashes it, that nothing is taken which the
 * site's consent does not cover, and that no address gets further than this room: cut to its network it goes to where
 * sign-ins are counted, which keeps none.
 */
export { isTrusted, truncatedAddress, wholeAddress } from './address.ts'
export { type Agent, readAgent } from './agent.ts'
export { convert } from './conversions.ts'
export { nameVisitor, readShared } from './event.ts'
export { createIntake, type Intake } from './http.ts'
export { MmdbError, NOWHERE, type Place } from './mmdb.ts'
export { withPatience } from './patience.ts'
export { GIF } from './pixel.ts'
export { followPlaces, loadPlaces, noPlaces, type Places, type PlacesState } from './places.ts'
export { REASONS, type Reason } from './reasons.ts'
export { countRejects, type Rejects } from './rejects.ts'
export { createSalts } from './salts.ts'
export { createServerEvents, type TakeServerEvents } from './server-events.ts'
