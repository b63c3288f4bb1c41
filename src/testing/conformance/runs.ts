import { invalidOption, knownOptions } from '../../core/errors.ts'
import { callable, listOf, name as nameOf } from '../../core/options.ts'
import { isObject } from '../../core/storage/plain.ts'
import { cases } from './cases.ts'
import { Handles } from './handles.ts'
import {
  MODES,
  NEEDS,
  type Need,
  type ConformanceCase,
  type ConformanceRun,
  type Mode,
  type StorageUnderTest,
} from './kit.ts'
import { Site } from './site.ts'

/**
 * The kit for one storage, as data: register each run with a test runner, or call them one after another.
 *
 *     for (const { name, skip, run } of conformance(target)) test(name, { skip: skip ?? false }, run)
 *
 * @throws HOLDFAST_INVALID_OPTION for a need or a case that does not exist
 */
export function conformance(target: StorageUnderTest): readonly ConformanceRun[] {
  check(target)
  return cases.flatMap((proof) => modesOf(proof).map((mode) => runOf(target, proof, mode)))
}

/** Looked at and not copied: `create` may need its target as `this`. */
function check(target: unknown): void {
  knownOptions('conformance', target, ['name', 'offers', 'create', 'skip', 'pause'])
  const { name, offers = [], create, skip = {}, pause } = target as Readonly<Record<string, unknown>>
  nameOf('conformance.name', name)
  callable('conformance.create', create)
  listOf('conformance.offers', offers, needOf)
  if (pause !== undefined) callable('conformance.pause', pause)
  if (!isObject(skip) || Array.isArray(skip)) throw invalidOption('conformance.skip', 'an object of reasons', skip)
  const known = new Set(cases.map(title))
  for (const [sentence, reason] of Object.entries(skip))
    if (!known.has(sentence)) throw invalidOption(`conformance.skip.${sentence}`, 'a case that exists', reason)
}

function needOf(field: string, value: unknown): Need {
  const need = NEEDS.find((one) => one === value)
  if (need !== undefined) return need
  throw invalidOption(field, NEEDS.map((one) => `'${one}'`).join(' or '), value)
}

function modesOf(proof: ConformanceCase): readonly Mode[] {
  return proof.needs.includes('two handles') ? ['two handles'] : MODES
}

function runOf(target: StorageUnderTest, proof: ConformanceCase, mode: Mode): ConformanceRun {
  const needs = mode === 'two handles' ? [...new Set([...proof.needs, mode])] : proof.needs
  const lacks = needs.filter((need) => !(target.offers ?? []).includes(need))
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
