/*
 * Lets every script of the page call livetag before the tag has loaded: calls wait here with the time at which they
 * were made. Usually this is one line inside the page; here it is a file because the collector's Content-Security-Policy
 * allows no inline script.
 */
window.livetag ??= (...call) => {
  livetag.q ??= []
  livetag.q.push([Date.now(), ...call])
}
