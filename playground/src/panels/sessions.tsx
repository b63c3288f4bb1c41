import type { Session } from 'holdfast'
import { sessions } from '../view/board.ts'
import { now } from '../view/clock.ts'
import { counted, shortId, since } from '../view/show.ts'
import { executor as workers } from '../workers.ts'

export function Sessions() {
  return (
    <ul class="sessions" role="list">
      {sessions.value.map((session) => (
        <Row key={session.id} session={session} />
      ))}
      {sessions.value.every(({ own }) => own) && <li class="hint">A second tab of this page would stand here.</li>}
    </ul>
  )
}

function Row({ session }: { session: Session }) {
  const isSilent = session.ended || now.value - session.lastBeat > session.leaseDuration
  const jobs = counted(session.holds.length, 'job')
  return (
    <li class={isSilent ? 'session silent' : 'session'} data-session={session.id}>
      {/* A new element for each beat: its animation begins anew. */}
      <span class="pulse" key={session.beats} aria-hidden="true" />
      <span class="who">
        {whose(session)} <code>{shortId(session.id)}</code>
      </span>
      <span class="holds">{jobs}</span>
      <span class="beats">
        {isSilent ? 'silent' : `beat ${session.beats}`}, {since(session.lastBeat, now.value)}
      </span>
    </li>
  )
}

function whose({ id, own }: Session): string {
  if (!own) return 'Another tab'
  return id === workers.session ? 'Workers of this tab' : 'This tab'
}
