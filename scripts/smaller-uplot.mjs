/**
 * uPlot comes in one piece, with axes of dates and logarithms and more that no chart here has: a sixth of it. Terser can't
 * know that nobody calls it, so it is taken out by name. What a new version has renamed ends the build.
 */

/** Functions that stay without a body, or with another one. */
const UNUSED = {
  rangeLog: '',
  rangeAsinh: '',
  join: '',
  fmtDate: '',
  tzDate: '',
  genTimeStuffs: 'return [[], [], () => []]',
  timeAxisStamps: '',
  timeAxisVals: '',
  timeAxisVal: '',
  timeSeriesStamp: '',
  timeSeriesVal: '',
  legendStroke: '',
  legendFill: '',
  logAxisSplits: '',
  asinhAxisSplits: '',
  log10AxisValsFilt: '',
  log2AxisValsFilt: '',
  stepped: '',
  bandFillClipDirs: 'return [0, 0]',
  clipBandLine: '',
}
const OFFERED =
  /uPlot\.(assign|fmtNum|rangeNum|rangeLog|rangeAsinh|orient|join|fmtDate|tzDate|addGap|clipGaps)\s*= \w+;/g

export const smallerUplot = {
  name: 'smaller-uplot',
  transform(code, id) {
    if (!id.includes('uPlot.esm')) return null
    let rest = code.replace(OFFERED, '')
    for (const [name, body] of Object.entries(UNUSED)) {
      const start = rest.indexOf(`\nfunction ${name}(`)
      const open = rest.indexOf('{\n', start)
      const end = rest.indexOf('\n}\n', start)
      if (start < 0 || open < 0 || end < open) this.error(`uPlot has no function ${name} any more`)
      rest = rest.slice(0, open + 1) + body + rest.slice(end + 1)
    }
    return { code: rest, map: null }
  },
}
