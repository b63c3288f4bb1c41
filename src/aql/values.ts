/* eslint-disable @typescript-eslint/no-unsafe-enum-comparison -- kinds are texts at run time; their enums would only add weight */
import type { ObjectValueNode, OperationDefinitionNode, TypeNode, ValueNode, VariableDefinitionNode } from 'graphql'
import type { AqlDefinition } from './parser.ts'
import { Problem, type Placed, unknown } from './problem.ts'

/** The values of a document: its literals, with variables in them. */
export class Values {
  readonly #variables = new Map<string, unknown>()

  /** Takes what was given for the variables that the operation declares, and checks it. */
  declare({ variableDefinitions = [] }: OperationDefinitionNode, given: Readonly<Record<string, unknown>>): void {
    this.#variables.clear()
    for (const declared of variableDefinitions) this.#declare(declared, given)
  }

  /** `undefined` for a variable without a value. */
  of(node: ValueNode): unknown {
    switch (node.kind) {
      case 'Variable':
        return this.#variable(node.name.value, node)
      case 'IntValue':
      case 'FloatValue':
        return numberOf(node.value, node)
      case 'NullValue':
        return null
      case 'ListValue':
        return node.values.map((value) => this.of(value) ?? null)
      case 'ObjectValue':
        return this.#object(node)
      default:
        return node.value
    }
  }

  #object(node: ObjectValueNode): unknown {
    const names = new Set<string>()
    for (const field of node.fields) {
      if (names.has(field.name.value)) throw new Problem(`\`${field.name.value}\` stands here twice`, field)
      names.add(field.name.value)
    }
    const entries = node.fields.map((field) => [field.name.value, this.of(field.value)] as const)
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined))
  }

  #variable(name: string, node: Placed): unknown {
    if (this.#variables.has(name)) return this.#variables.get(name)
    throw unknown(
      'variable',
      `$${name}`,
      [...this.#variables.keys()].map((one) => `$${one}`),
      node,
    )
  }

  #declare(declared: VariableDefinitionNode, given: Readonly<Record<string, unknown>>): void {
    const { variable, type, defaultValue } = declared
    const name = variable.name.value
    if (this.#variables.has(name)) throw new Problem(`\`$${name}\` is declared twice`, declared)
    const own = Object.hasOwn(given, name) ? given[name] : undefined
    const value = own === undefined && defaultValue !== undefined ? this.of(defaultValue) : own
    checkType(value, type, `$${name}`, declared)
    this.#variables.set(name, value)
  }
}

/** Each variable that was given is declared by an operation of the text: another name is a slip of the pen. */
export function checkGiven(definitions: readonly AqlDefinition[], given: Readonly<Record<string, unknown>>): void {
  const names = definitions.flatMap((definition) =>
    definition.kind === 'OperationDefinition'
      ? (definition.variableDefinitions ?? []).map(({ variable }) => `$${variable.name.value}`)
      : [],
  )
  for (const name of Object.keys(given))
    if (!names.includes(`$${name}`)) throw unknown('variable', `$${name}`, names, undefined)
}

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  String: (value) => typeof value === 'string',
  ID: (value) => typeof value === 'string',
  Int: Number.isSafeInteger,
  Float: Number.isFinite,
  Boolean: (value) => typeof value === 'boolean',
  JSON: () => true,
  DateTime: (value) => typeof value === 'string' || Number.isFinite(value),
  JobPriority: (value) => typeof value === 'string' || Number.isSafeInteger(value),
  JobStatus: (value) => typeof value === 'string',
}

function checkType(value: unknown, type: TypeNode, name: string, at: Placed): void {
  if (type.kind === 'NonNullType') {
    if (value === undefined || value === null) throw new Problem(`Expected a value for \`${name}\`: it is required`, at)
    checkType(value, type.type, name, at)
  } else if (type.kind === 'ListType') {
    if (value === undefined || value === null) return
    if (!Array.isArray(value)) throw new Problem(`Expected \`${name}\` to be a list`, at, value)
    for (const item of value) checkType(item, type.type, `${name}[]`, at)
  } else {
    const named = type.name.value
    if (!Object.hasOwn(TYPES, named)) throw unknown('type', named, Object.keys(TYPES), type)
    if (value !== undefined && value !== null && TYPES[named]?.(value) !== true)
      throw new Problem(`Expected \`${name}\` to be of type ${named}`, at, value)
  }
}

function numberOf(text: string, at: Placed): number {
  const number = Number(text)
  if (Number.isFinite(number) && (Number.isSafeInteger(number) || !/^-?\d+$/.test(text))) return number
  throw new Problem(`Expected a number that JSON carries unchanged, got ${text}`, at)
}
