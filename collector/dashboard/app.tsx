/** Entry of the dashboard. */
import { render } from 'preact'
import { App } from './shell/App.tsx'

const root = document.getElementById('app')
if (root) render(<App />, root)
