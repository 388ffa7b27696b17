/**
 * The browser's globals that the tag uses often, as bindings of its own: the minifier can then shorten their names.
 * On a server they are `undefined`, which is why nothing touches them before `start`.
 */
export const { document, location, navigator } = globalThis
