/** The login page's script: shows the error, if any, and says it aloud. */
import { loginError } from './login.ts'

const text = loginError(location.search)
const place = document.getElementById('error')
if (text && place) {
  // What stands between backticks is a command.
  place.append(
    ...text.split('`').map((part, index) => {
      if (index % 2 === 0) return part
      const code = document.createElement('code')
      code.textContent = part
      return code
    }),
  )
  place.hidden = false
  document.getElementById('key')?.setAttribute('aria-describedby', 'error')
}
