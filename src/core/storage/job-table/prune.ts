import type { PruneRequest, RetentionRule } from '../contract.ts'
import type { Draft } from './draft.ts'
import { removeJob } from './ending.ts'
import type { JobTable } from './job-table.ts'
import type { JobRow } from './rows.ts'

/** Removes finished jobs, the oldest first, and the counts of groups that say nothing any more. */
export function prune(draft: Draft, request: PruneRequest): { removed: number; more: boolean } {
  const { table } = draft
  let removed = 0
  let more = false
  for (const rule of request.rules) {
    for (const job of expired(table, rule, request.spareSince)) {
      if (removed >= request.limit) {
        more = true
        break
      }
      removeJob(draft, job)
      removed += 1
    }
  }
  for (const [key, { running, window, holder }] of table.tables.groups) {
    if (running === 0 && holder == null && (window === null || table.ready.windows.isOver(key, window)))
      draft.remove('groups', key)
  }
  return { removed, more }
}

/** The jobs a rule names. They stand in the order of their ends, so the first that stays ends the walk. */
function* expired(table: JobTable, rule: RetentionRule, spareSince: number): Generator<JobRow> {
  const list = table.finished[rule.state]
  let excess = list.size - rule.keep
  for (const job of list) {
    const endedAt = job.finishedAt ?? 0
    if (endedAt >= spareSince || (excess <= 0 && endedAt >= rule.finishedBefore)) return
    yield job
    excess -= 1
  }
}
