import { cases } from './cases.ts'
import { Handles } from './handles.ts'
import { MODES, type ConformanceCase, type ConformanceRun, type Mode, type StorageUnderTest } from './kit.ts'
import { Site } from './site.ts'

/**
 * The kit for one storage, as data: register each run with a test runner, or call them one after another.
 *
 *     for (const { name, skip, run } of conformance(target)) test(name, { skip: skip ?? false }, run)
 */
export function conformance(target: StorageUnderTest): readonly ConformanceRun[] {
  const known = new Set(cases.map(title))
  for (const name of Object.keys(target.skip ?? {})) {
    if (!known.has(name)) throw new Error(`The storage ${target.name} skips a case that does not exist: ${name}`)
  }
  return cases.flatMap((proof) => modesOf(proof).map((mode) => runOf(target, proof, mode)))
}

function modesOf(proof: ConformanceCase): readonly Mode[] {
  return proof.needs.includes('two handles') ? ['two handles'] : MODES
}

function runOf(target: StorageUnderTest, proof: ConformanceCase, mode: Mode): ConformanceRun {
  const needs = mode === 'two handles' ? [...new Set([...proof.needs, mode])] : proof.needs
  const lacks = needs.filter((need) => !target.offers.includes(need))
  const reason = target.skip?.[title(proof)] ?? (lacks.length > 0 ? `needs ${lacks.join(', ')}` : null)
  return {
    name: `${title(proof)} (${mode})`,
    needs,
    skip: reason,
    run: async () => {
      const handles = await Handles.create(mode, target)
      try {
        await proof.run(new Site(handles))
      } finally {
        await handles.destroy()
      }
    },
  }
}

function title(proof: ConformanceCase): string {
  return `${proof.area}: ${proof.name}`
}
