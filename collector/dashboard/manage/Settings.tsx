/** One site's settings: goals, keys, people, shared links; and one's own account. */
export function Settings() {
  return null
}
