/* eslint-disable @typescript-eslint/no-unsafe-enum-comparison, @typescript-eslint/no-unsafe-enum-assignment -- kinds are texts at run time; their enums would only add weight */
import type { ConstValueNode, DefinitionNode, FieldNode, NameNode, StringValueNode, ValueNode } from 'graphql'
import { Parser } from 'graphql/language/parser.mjs'
import { Problem, type Placed } from './problem.ts'

/** `define handler "NAME" { on: …, where: …, atomic: …, action: { enqueueJob(…) } }` */
export interface HandlerNode extends Placed {
  readonly kind: 'Handler'
  readonly name: StringValueNode
  readonly entries: readonly HandlerEntry[]
}

export interface HandlerEntry {
  readonly name: NameNode
  /** `action` has a field, the others values. */
  readonly value: ValueNode | FieldNode
}

const MOST_CHARACTERS = 1_000_000
const MOST_TOKENS = 50_000
const MOST_DEPTH = 64

/** GraphQL's own parser, and one form beside it. */
class AqlParser extends Parser {
  #depth = 0

  override parseDefinition(): DefinitionNode {
    const { kind, value } = this._lexer.token
    // What stands among definitions is told apart by `kind`; the parser itself never looks at it.
    if (kind === 'Name' && value === 'define') return this.#handler() as unknown as DefinitionNode
    return super.parseDefinition()
  }

  override parseValueLiteral(isConst: true): ConstValueNode
  override parseValueLiteral(isConst: boolean): ValueNode
  override parseValueLiteral(isConst: boolean): ValueNode {
    return this.#within(() => super.parseValueLiteral(isConst))
  }

  override parseSelectionSet(): ReturnType<Parser['parseSelectionSet']> {
    return this.#within(() => super.parseSelectionSet())
  }

  #handler(): HandlerNode {
    const start = this._lexer.token
    this.expectKeyword('define')
    this.expectKeyword('handler')
    if (this._lexer.token.kind !== 'String') throw this.unexpected()
    const name = this.parseStringLiteral()
    const open = this.#mark('{')
    const close = this.#mark('}')
    const entries = this.many(open, () => this.#entry(), close)
    return this.node(start, { kind: 'Handler', name, entries } as never)
  }

  #entry(): HandlerEntry {
    const name = this.parseName()
    this.expectToken(this.#mark(':'))
    if (name.value !== 'action') return { name, value: this.parseValueLiteral(true) }
    this.expectToken(this.#mark('{'))
    const value = this.parseField()
    this.expectToken(this.#mark('}'))
    return { name, value }
  }

  /** Kinds of tokens are an enum of types only here. */
  #mark(text: string): Parameters<Parser['expectToken']>[0] {
    return text as Parameters<Parser['expectToken']>[0]
  }

  /** Deep texts are refused, and do not end in a stack that overflows. */
  #within<Node>(parse: () => Node): Node {
    const { line, column } = this._lexer.token
    if (this.#depth === MOST_DEPTH)
      throw new Problem(`Expected at most ${MOST_DEPTH} levels`, { loc: { startToken: { line, column } } })
    this.#depth += 1
    const node = parse()
    this.#depth -= 1
    return node
  }
}

export type AqlDefinition = DefinitionNode | HandlerNode

/** Throws what GraphQL's parser throws, or a Problem. */
export function parse(text: unknown): readonly AqlDefinition[] {
  if (typeof text !== 'string' || text.length > MOST_CHARACTERS)
    throw new Problem(`Expected a text of at most ${MOST_CHARACTERS} characters`, undefined)
  const parser = new AqlParser(text, { maxTokens: MOST_TOKENS })
  return parser.parseDocument().definitions
}
