/**
 * Light, dark, or as the device says. This runs before the page is drawn, so that a remembered choice does not flash;
 * it imports nothing, since it is served as a plain script. Any element with `data-theme-button` steps through the
 * three, and `themechange` on the document tells who draws by hand.
 */
try {
  document.documentElement.dataset.theme = localStorage.getItem('livetag-theme') ?? 'auto'
} catch {
  // Storage may be refused: then the device decides.
}

document.addEventListener('click', event => {
  if (!(event.target instanceof Element && event.target.closest('[data-theme-button]'))) return
  const steps = ['auto', 'light', 'dark']
  const { dataset } = document.documentElement
  const next = steps[(steps.indexOf(dataset.theme ?? 'auto') + 1) % steps.length] ?? 'auto'
  dataset.theme = next
  try {
    if (next === 'auto') localStorage.removeItem('livetag-theme')
    else localStorage.setItem('livetag-theme', next)
  } catch {
    // Not remembered, but it holds for this page.
  }
  document.dispatchEvent(new Event('themechange'))
})
