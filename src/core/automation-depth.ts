/**
 * How many automations in a row led to a job stands in its id, which is made by the core: a UUID, a tilde, the number.
 * So it needs no field of the contract, and an id that a user gave says nothing. [tests/core/automations.test.ts]
 */
const WITH_DEPTH = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}~(\d+)$/

/** 0 for a job that no automation made. */
export function depthOf(id: string): number {
  return Number(WITH_DEPTH.exec(id)?.[1] ?? 0)
}

/** The id of a job that an automation makes. */
export function idAtDepth(uuid: string, depth: number): string {
  return `${uuid}~${depth}`
}
