import { LEDGER } from '../ledger.ts'
import { DATABASE } from '../queue.ts'

/** How the numbers are made, and how to see for yourself that they can be wrong. */
export function HowToLose() {
  return (
    <details>
      <summary>How these are counted, and how to make “Lost” say 1</summary>
      <p>
        A second database, <code>{LEDGER}</code>, is written without holdfast: a line for every job that was
        acknowledged, for every end that was accepted, and for every job that somebody removed by AQL. A job is lost
        when it has neither an end nor a removal there and the queue does not know it any more.
      </p>
      <ol>
        <li>
          Press “Errand in ten minutes”, and choose the job under Scheduled to see its id. Have only this tab open.
        </li>
        <li>
          In the developer tools (Application or Storage, IndexedDB), open <code>{DATABASE}</code>, store{' '}
          <code>log</code>. Find the newest record whose <code>units</code> name that id, and delete it.
        </li>
        <li>Reload this page: it reads the log anew, without that job. Within three seconds “Lost” says 1.</li>
      </ol>
    </details>
  )
}
