import { attempt, notice } from '../actions.ts'
import { connections, queue } from '../queue.ts'
import { online, unplugged } from '../network.ts'
import { counted } from '../view/show.ts'

/** How long a freeze takes, ms: the lease of this page's jobs twice, and time for the tab that looks for silent ones. */
const FREEZE = 15_000

export function BreakIt() {
  return (
    <>
      <div class="row">
        <a class="button strong" href={location.href} target="_blank" rel="noopener">
          Open a second tab
        </a>
        <button onClick={() => location.reload()}>Reload</button>
        <button onClick={() => freeze(FREEZE)}>Freeze for 15 s</button>
        <button onClick={() => freeze(Infinity)}>Hang for ever</button>
        <button onClick={closeTab}>Close this tab</button>
        <button onClick={tear}>Tear the database connection</button>
      </div>
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked={unplugged.value}
          onChange={({ currentTarget }) => (unplugged.value = currentTarget.checked)}
        />
        Offline in this tab <span class="about">(now {online.value ? 'online' : 'offline: webhooks wait'})</span>
      </label>
      <p class="about">
        Freezing and hanging are endless loops: this tab stops answering, and after 6 s of silence another takes its
        jobs. No page may crash itself; type <code>chrome://crash</code> (Chromium) or <code>about:crashcontent</code>{' '}
        (Firefox) into the address bar for a real crash.
      </p>
    </>
  )
}

/** Keeps the thread from everything else, handlers and heartbeats too. */
function freeze(ms: number): void {
  notice.value = ms === Infinity ? 'Hanging. Close this tab by its own button.' : `Frozen for ${ms / 1000} s.`
  // Once what was said is on the screen.
  requestAnimationFrame(() =>
    setTimeout(() => {
      const end = performance.now() + ms
      while (performance.now() < end);
      notice.value = 'Thawed. What others took over meanwhile is theirs.'
    }),
  )
}

/** Browsers let pages close only what pages have opened. */
function closeTab(): void {
  window.close()
  setTimeout(() => (notice.value = 'The browser lets nobody but you close this tab: Ctrl+W, or ⌘W.'), 200)
}

function tear(): void {
  void attempt(async () => {
    const torn = connections.tear()
    const counts = await queue.counts()
    const jobs = Object.values(counts).reduce((sum, count) => sum + count, 0)
    notice.value = `${counted(torn, 'connection')} torn; the queue goes on and knows ${counted(jobs, 'job')}.`
  })
}
