/**
 * What came of the visitor's consent: signals in, one decision out. `state.ts` decides; every other file is a capability that
 * hears one signal and passes on what it says, or that it is pending.
 */
export { cookiebot } from './cmp/cookiebot.ts'
export { didomi } from './cmp/didomi.ts'
export { klaro } from './cmp/klaro.ts'
export { onetrust } from './cmp/onetrust.ts'
export { osano } from './cmp/osano.ts'
export { shopify } from './cmp/shopify.ts'
export { tarteaucitron } from './cmp/tarteaucitron.ts'
export { usercentrics } from './cmp/usercentrics.ts'
export { vanilla } from './cmp/vanilla.ts'
export { wordpress } from './cmp/wordpress.ts'
export { gcm } from './gcm.ts'
export { gpc } from './gpc.ts'
export { gpp } from './gpp.ts'
export { tcf } from './tcf.ts'
