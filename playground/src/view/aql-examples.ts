/** What the editor offers, by the name under which it is chosen. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  'Enqueue a job': `mutation {
  enqueueJob(
    type: "send_email"
    payload: { to: "user@example.com" }
    priority: HIGH
    runAt: "2026-12-31T23:59:59Z"
    retries: 5
  ) { jobId status }
}`,
  'Enqueue several': `mutation {
  enqueueJobs(type: "resize", payloads: [{ id: 1 }, { id: 2 }], priority: LOW) { jobId }
}`,
  'Define a handler': `define handler "welcome_new_user" {
  on: "insert:users"
  action: {
    enqueueJob(type: "send_email", payload: { user_id: "\${id}", template: "welcome" })
  }
}`,
  'Ask for dead letters': `query {
  _jobs(where: { status: { eq: "FAILED" } }, orderBy: { createdAt: DESC }, limit: 20) {
    id type error last_retry
  }
}`,
  'Ask, with a mistake': `{
  _stats { total }
  _jobs(wher: { type: { startsWith: "send" } }) { id }
}`,
}
