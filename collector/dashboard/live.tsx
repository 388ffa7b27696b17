/** Entry of the live page: starts the session and draws it, at most every {@link DRAW_EVERY} ms. */
import { render } from 'preact'
import { App } from './App.tsx'
import { startSession } from './session.ts'

/** Ticks come every 50 ms; the eye does not need more than this, and a wall screen's small computer neither. */
const DRAW_EVERY = 100

const root = document.getElementById('live')
let drawnAt = 0
let timer: number | undefined

function draw() {
  timer = undefined
  drawnAt = performance.now()
  if (root) render(<App view={session.view} deviceNow={Date.now()} onSite={session.select} />, root)
}

function drawSoon() {
  if (timer === undefined) timer = window.setTimeout(draw, Math.max(0, drawnAt + DRAW_EVERY - performance.now()))
}

const session = startSession(window, drawSoon)
// Once a second, so that old minutes leave and "3 seconds ago" stays true when nothing comes.
window.setInterval(drawSoon, 1_000)
