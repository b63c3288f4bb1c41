import { notice } from './actions.ts'
import { panels } from './panels/index.ts'
import { Inspector } from './view/inspector.tsx'
import { Score } from './view/score.tsx'
import { watch } from './view/board.ts'

void watch()

export function Page() {
  return (
    <>
      <a class="skip" href="#work">
        Skip to the jobs
      </a>
      <header class="masthead">
        <p class="name">holdfast playground</p>
        <h1>Jobs that survive what you do to this tab</h1>
        <p class="lead">
          Each job below is kept in this browser’s own database. Reload, freeze or crash this tab, or pull the network:
          what was accepted still gets done, here or in a second tab. Nothing leaves this browser.
        </p>
      </header>
      <Score />
      <p class="notice" role="status">
        {notice}
      </p>
      <main id="work" tabIndex={-1}>
        {panels.map(({ id, title, lead, width, Panel }) => (
          <section key={id} class={`panel ${width}`} aria-labelledby={`${id}-title`} id={id}>
            <h2 id={`${id}-title`}>{title}</h2>
            <p class="about">{lead}</p>
            <Panel />
          </section>
        ))}
      </main>
      <footer>
        <p>
          Everything here is <code>holdfast</code> as it is published, on this browser’s IndexedDB. The code of this
          page is meant to be copied from.
        </p>
      </footer>
      <Inspector />
    </>
  )
}
