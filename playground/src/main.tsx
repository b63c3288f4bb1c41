import { render } from 'preact'
import { trustOwnScripts } from './trusted-scripts.ts'

trustOwnScripts()

const root = document.getElementById('app')
if (root === null) throw new Error('The page has no place for the application')

// Loaded once there is something to say while the database opens, and to say if it does not.
import('./page.tsx').then(
  ({ Page }) => {
    root.replaceChildren()
    render(<Page />, root)
  },
  (error: unknown) => {
    const text = document.createElement('p')
    text.className = 'starting'
    text.role = 'alert'
    text.textContent = `The playground could not open its database. ${String(error)}`
    root.replaceChildren(text)
  },
)
