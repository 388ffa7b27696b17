/** Pictures to take along: drawn on a canvas in the colors of the page, at its resolution. */

interface Paper {
  canvas: HTMLCanvasElement
  pen: CanvasRenderingContext2D
  /** CSS px */
  rem: number
  ink: string
  soft: string
}

/** A canvas of this size (CSS px) with a title, which takes the first 3.6 rem. */
function paper(like: HTMLElement, width: number, height: number, title: string, subtitle: string): Paper | null {
  const canvas = document.createElement('canvas')
  const pen = canvas.getContext('2d')
  const panel = getComputedStyle(like.closest('.panel') ?? like)
  if (!pen) return null
  const scale = devicePixelRatio
  canvas.width = width * scale
  canvas.height = height * scale
  pen.scale(scale, scale)
  pen.fillStyle = panel.backgroundColor
  pen.fillRect(0, 0, width, height)
  const rem = Number.parseFloat(panel.fontSize)
  const [ink, soft] = [panel.color, panel.color]
  pen.textBaseline = 'middle'
  pen.fillStyle = ink
  pen.font = `650 ${rem}px ${panel.fontFamily}`
  pen.fillText(title, rem, rem * 1.3, width - 2 * rem)
  pen.globalAlpha = 0.75
  pen.font = `${rem * 0.8}px ${panel.fontFamily}`
  pen.fillText(subtitle, rem, rem * 2.5, width - 2 * rem)
  pen.globalAlpha = 1
  pen.font = `${rem * 0.9}px ${panel.fontFamily}`
  return { canvas, pen, rem, ink, soft }
}

/** @param like in whose panel it stands */
export function drawPlot(
  plot: HTMLCanvasElement,
  like: HTMLElement,
  title: string,
  subtitle: string,
): HTMLCanvasElement {
  const [width, height] = [plot.width / devicePixelRatio, plot.height / devicePixelRatio]
  const rem = Number.parseFloat(getComputedStyle(like.closest('.panel') ?? like).fontSize)
  const made = paper(like, width, height + rem * 3.6, title, subtitle)
  if (!made) return plot
  made.pen.drawImage(plot, 0, rem * 3.6, width, height)
  return made.canvas
}

export interface PaintedTable {
  columns: readonly string[]
  /** texts; the first names the row */
  rows: readonly { cells: readonly string[]; share: number }[]
  /** of the bars */
  color: string
}

export function drawTable(
  table: PaintedTable,
  like: HTMLElement,
  title: string,
  subtitle: string,
): HTMLCanvasElement | null {
  const rem = Number.parseFloat(getComputedStyle(like).fontSize)
  const [width, line] = [rem * 36, rem * 2]
  const made = paper(like, width, rem * 4.4 + line * (table.rows.length + 1), title, subtitle)
  if (!made) return null
  const { canvas, pen, ink } = made
  const column = rem * 6.5
  const first = width - rem * 2 - column * (table.columns.length - 1)
  const row = (cells: readonly string[], y: number) => {
    for (const [i, text] of cells.entries()) {
      pen.textAlign = i === 0 ? 'start' : 'end'
      const x = i === 0 ? rem * 1.5 : width - rem * 1.5 - column * (cells.length - 1 - i)
      pen.fillText(cut(pen, text, i === 0 ? first : column - rem), x, y)
    }
  }
  pen.fillStyle = ink
  pen.globalAlpha = 0.75
  row(table.columns, rem * 3.6 + line / 2)
  pen.globalAlpha = 1
  for (const [i, { cells, share }] of table.rows.entries()) {
    const top = rem * 3.6 + line * (i + 1)
    pen.fillStyle = table.color
    pen.fillRect(rem, top + 2, (width - 2 * rem) * share, line - 4)
    pen.fillStyle = ink
    row(cells, top + line / 2)
  }
  return canvas
}

/** As much of a text as there is room for. */
function cut(pen: CanvasRenderingContext2D, text: string, room: number): string {
  let short = text.slice(0, 200)
  if (pen.measureText(short).width <= room) return short
  while (short.length > 1 && pen.measureText(`${short}…`).width > room) short = short.slice(0, -1)
  return `${short}…`
}
