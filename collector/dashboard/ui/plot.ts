/**
 * Draws numbers over time on a canvas that fills its place: a grid, labels, lines and bars, and what is under the pointer.
 * Colors and type are those of the style sheet, by properties of the place that a plot has no other use for.
 */
export interface Series {
  values: readonly (number | null | undefined)[]
  color: string
  /** under the line; without one it is only a line */
  fill?: string
  /** rem; 0 for bars */
  width: number
  /** lengths of dashes and gaps, rem */
  dash?: readonly number[]
}

export interface Drawing {
  /** ascending, as far apart as they are drawn */
  x: readonly number[]
  /** value at the upper end; the lower one is 0 */
  top: number
  label(y: number): string
  marks: readonly (readonly [x: number, label: string])[]
  series: readonly Series[]
}

export interface Room {
  style: CSSStyleDeclaration
  /** px */
  rem: number
  width: number
}

export interface Plot {
  /** Draws what is there now. */
  paint(): void
  /** Points at the value of this place, or at none. */
  point(at: number | null): void
  /** where a value is, px from the left */
  left(at: number): number
  close(): void
}

/** @param pointed told which value is pointed at, or that none is */
export function createPlot(
  place: HTMLElement,
  draw: (room: Room) => Drawing,
  pointed: (at: number | null) => void,
): Plot {
  const canvas = document.createElement('canvas')
  place.append(canvas)
  const pen = canvas.getContext('2d')
  let lefts: number[] = []
  let chosen: number | null = null

  function paint() {
    const { clientWidth: width, clientHeight: height } = place
    if (!pen || !width) return
    const style = getComputedStyle(place)
    const rem = Number.parseFloat(style.fontSize)
    canvas.width = width * devicePixelRatio
    canvas.height = height * devicePixelRatio
    pen.scale(devicePixelRatio, devicePixelRatio)
    pen.lineJoin = 'round'
    pen.textBaseline = 'middle'
    pen.font = `${rem}px ${style.fontFamily}`
    const { x, top, label, marks, series } = draw({ style, rem, width })
    const [left, right, above, below] = [rem * 3.8, width - rem * 1.6, rem, height - rem * 2]
    const [first = 0, last = first] = [x[0], x.at(-1)]
    const toX = (value: number) => left + (last > first ? (value - first) / (last - first) : 0.5) * (right - left)
    const toY = (value: number) => below - (value / top) * (below - above)
    lefts = x.map(toX)

    pen.fillStyle = style.color
    pen.textAlign = 'right'
    for (const y of [0, top / 2, top]) {
      pen.fillText(label(y), left - rem * 0.6, toY(y))
      stroke(style.borderBlockStartColor, 1, [left, toY(y)], [right, toY(y)])
    }
    pen.textAlign = 'center'
    for (const [at, text] of marks) {
      // The last one stays within the plot.
      const most = width - pen.measureText(text).width / 2
      pen.fillText(text, Math.min(toX(at), most), height - rem * 0.8)
    }
    if (chosen !== null) {
      pen.setLineDash([3, 3])
      stroke(style.color, 1, [lefts[chosen] ?? left, above], [lefts[chosen] ?? left, below])
    }
    for (const { values, color, fill, width, dash = [] } of series) {
      pen.strokeStyle = color
      pen.lineWidth = width * rem
      pen.setLineDash(dash.map(length => length * rem))
      if (width === 0) bars(values, color)
      else for (const [from, to] of runsOf(values)) line(values, from, to, fill)
      const value = chosen === null ? null : values[chosen]
      if (width > 0 && value != null) dot(lefts[chosen ?? 0] ?? 0, toY(value), color, rem * 0.32)
    }

    function stroke(color: string, width: number, ...points: [number, number][]) {
      if (!pen) return
      pen.strokeStyle = color
      pen.lineWidth = width
      pen.beginPath()
      // On whole pixels a line of one is one.
      for (const [x, y] of points) pen.lineTo(Math.round(x) + 0.5, Math.round(y) + 0.5)
      pen.stroke()
      pen.setLineDash([])
    }
    function line(values: Series['values'], from: number, to: number, fill: string | undefined) {
      if (!pen) return
      // A value with none beside it would be a line of no length.
      if (from === to) return dot(lefts[from] ?? 0, toY(values[from] ?? 0), String(pen.strokeStyle), rem * 0.25)
      pen.beginPath()
      for (let i = from; i <= to; i++) pen.lineTo(lefts[i] ?? 0, toY(values[i] ?? 0))
      pen.stroke()
      if (!fill) return
      pen.lineTo(lefts[to] ?? 0, below)
      pen.lineTo(lefts[from] ?? 0, below)
      pen.fillStyle = fill
      pen.fill()
    }
    function bars(values: Series['values'], color: string) {
      if (!pen) return
      const wide = Math.min(12, (0.7 * (right - left)) / Math.max(1, values.length - 1))
      pen.fillStyle = color
      for (const [i, value] of values.entries())
        if (value) pen.fillRect((lefts[i] ?? 0) - wide / 2, toY(value), wide, below - toY(value))
    }
    function dot(x: number, y: number, color: string, radius: number) {
      if (!pen) return
      pen.fillStyle = color
      pen.beginPath()
      pen.arc(x, y, radius, 0, 7)
      pen.fill()
    }
  }

  const point = (at: number | null) => {
    if (at === chosen) return
    chosen = at
    paint()
    pointed(at)
  }
  const over = ({ offsetX }: PointerEvent) => {
    const away = lefts.map(left => Math.abs(left - offsetX))
    point(away.length > 0 ? away.indexOf(Math.min(...away)) : null)
  }
  const leave = () => point(null)
  canvas.addEventListener('pointermove', over)
  canvas.addEventListener('pointerdown', over)
  canvas.addEventListener('pointerleave', leave)
  const resized = new ResizeObserver(paint)
  resized.observe(place)
  const dark = matchMedia('(prefers-color-scheme: dark)')
  document.addEventListener('themechange', paint)
  dark.addEventListener('change', paint)
  paint()
  return {
    paint,
    point,
    left: at => lefts[at] ?? 0,
    close() {
      resized.disconnect()
      document.removeEventListener('themechange', paint)
      dark.removeEventListener('change', paint)
      canvas.remove()
    },
  }
}

/** Where values follow each other without a gap: first and last place. */
export function runsOf(values: Series['values']): [from: number, to: number][] {
  const runs: [number, number][] = []
  for (const [i, value] of values.entries()) {
    if (value == null) continue
    const last = runs.at(-1)
    if (last?.[1] === i - 1) last[1] = i
    else runs.push([i, i])
  }
  return runs
}
