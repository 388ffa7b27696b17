/** How the site does: totals, their course, and by what. */
export function Overview() {
  return null
}
