/** All sites of whoever looks; a new one is made here. */
export function Sites() {
  return null
}
