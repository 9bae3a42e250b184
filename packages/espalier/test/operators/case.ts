/**
 * Cases of one operator, from rows of a table: a row names operators, data types, inputs and attributes, and stands
 * for every combination of them, in the oldest and the newest version of the operator in the row's range.
 */
import { type GraphBuilder, graphBuilder, type Handle, type PlainAttribute } from '../../src/graph/builder.ts'
import type { Graph } from '../../src/graph/graph.ts'
import * as onnx from '../../src/ops/onnx/index.ts'
import type { Op } from '../../src/ops/op.ts'
import { schemaVersion } from '../../src/ops/registry.ts'
import { checkValues } from '../../src/ops/typecheck.ts'
import { type DType, isDType } from '../../src/tensor/dtype.ts'
import { numbers, strings } from '../../src/tensor/elements.ts'
import { generator, randomKey } from '../../src/tensor/random.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import type { Tolerance } from '../../src/tensor/testing.ts'
import type { Input } from './draw.ts'

export type CaseAttributes = Readonly<Record<string, PlainAttribute>>

export interface Row {
  readonly op: string | readonly string[]
  /** First and last operator-set version, of the operator's own domain; the oldest and the newest without them. */
  readonly since?: number
  readonly until?: number
  /** Data types to try: a list, or the name of a type constraint of the schema. float32 when left out. */
  readonly dtypes?: readonly DType[] | string
  /** Data types to leave out. */
  readonly without?: readonly DType[]
  /** Alternative lists of inputs. */
  readonly inputs: readonly (readonly Input[])[]
  /** Alternative attributes. */
  readonly attributes?: readonly CaseAttributes[]
  /** How many outputs to ask for, or which. 1 when left out. */
  readonly outputs?: number | readonly boolean[]
  readonly tolerance?: Tolerance
  /** Builds another graph than the single node; gives its outputs. */
  readonly build?: (
    g: GraphBuilder,
    inputs: readonly (Handle | undefined)[],
    attributes: CaseAttributes,
  ) => Handle[]
}

export interface PeerCase {
  readonly op: string
  /** `Softmax-13(float32[2,3]) axis=1`. */
  readonly title: string
  readonly graph: Graph
  readonly feeds: ReadonlyMap<string, Tensor>
  readonly tolerance: Tolerance | undefined
}

/** Versions from which on a graph of opset 7 or newer may stand for the version of an operator. */
const OLDEST_OPSET = 7
/** The operator set of ONNX's own operators in cases of another domain. */
const MAIN_OPSET = 21

const byName = new Map<string, Op>(Object.entries<Op>(onnx))

/** All cases of a list of rows, by operator. */
export function casesOf(rows: readonly Row[]): Map<string, PeerCase[]> {
  const cases = new Map<string, PeerCase[]>()
  for (const row of rows)
    for (const name of [row.op].flat()) {
      const list = cases.get(name) ?? []
      cases.set(name, list)
      for (const made of expand(row, operator(name), list.length)) list.push(made)
    }
  return cases
}

function operator(name: string): Op {
  const op = byName.get(name)
  if (op === undefined) throw new Error(`no operator ${name}`)
  return op
}

function* expand(row: Row, op: Op, count: number): Generator<PeerCase> {
  for (const opset of opsetsOf(row, op))
    for (const dtype of dtypesOf(row, op, opset))
      for (const inputs of row.inputs)
        for (const attributes of row.attributes ?? [{}]) {
          const made = makeCase(row, op, { opset, dtype, inputs, attributes, seed: count++ })
          if (isTyped(op, opset, made)) yield made
        }
}

/** Whether an operator's version takes the types of a case: a row may name some that came with a later version. */
function isTyped(op: Op, opset: number, { graph, feeds }: PeerCase): boolean {
  const [node, more] = graph.nodes
  if (node?.op !== op.name || more !== undefined) return true
  try {
    checkValues(
      op.versions[schemaVersion(op, opset)!]!,
      node.inputs.map(name => feeds.get(name)),
    )
    return true
  } catch {
    return false
  }
}

/**
 * Operator sets to try: one for the oldest and one for the newest schema version in the range. Versions in between
 * differ from these in the data types they take; where they differ in more, tables have rows of their own for them.
 */
function opsetsOf({ since = 0, until = 1000 }: Row, op: Op): number[] {
  const least = op.domain === undefined ? OLDEST_OPSET : 1
  const versions = Object.keys(op.versions).map(version => Math.max(Number(version), least, since))
  const opsets = versions.filter(opset => opset <= until && schemaVersion(op, opset) !== undefined)
  return opsets.length === 0 ? [] : [...new Set([Math.min(...opsets), Math.max(...opsets)])]
}

function dtypesOf(
  { dtypes: wanted = ['float32'], without = [] }: Row,
  op: Op,
  opset: number,
): readonly DType[] {
  const types = op.versions[schemaVersion(op, opset)!]!.types ?? {}
  const list = typeof wanted === 'string' ? (types[wanted] ?? []) : wanted
  return list.filter(isDType).filter(dtype => !without.includes(dtype))
}

interface Choice {
  readonly opset: number
  readonly dtype: DType
  readonly inputs: readonly Input[]
  readonly attributes: CaseAttributes
  readonly seed: number
}

function makeCase(row: Row, op: Op, { opset, dtype, inputs, attributes, seed }: Choice): PeerCase {
  const random = generator(randomKey(hash(op.name) + seed))
  const tensors = inputs.map(input => (typeof input === 'function' ? input({ dtype, random }) : input))
  const main = op.domain === undefined
  const g = graphBuilder({
    opset: main ? opset : MAIN_OPSET,
    ...(op.domain !== undefined && { opsets: { [op.domain]: opset } }),
  })
  const handles = tensors.map((value, index) => value && g.input(`input${index}`, value.dtype, value.shape))
  const rounded = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, asInFile(value)]),
  )
  for (const output of row.build?.(g, handles, rounded) ?? oneNode(g, op, row, handles, rounded))
    g.output(output)
  const feeds = tensors.flatMap((value, index): [string, Tensor][] =>
    value ? [[`input${index}`, value]] : [],
  )
  return {
    op: op.name,
    title: `${op.name}-${opset}(${tensors.map(describe).join(', ')})${Object.entries(attributes).map(describeAttribute).join('')}`,
    graph: g.build(),
    feeds: new Map(feeds),
    tolerance: row.tolerance,
  }
}

/** Floats in attributes are float32 in a file. */
function asInFile(value: PlainAttribute): PlainAttribute {
  if (typeof value !== 'object' || !('type' in value)) return value
  if (value.type === 'float') return { type: 'float', value: Math.fround(value.value) }
  return value.type === 'floats' ? { type: 'floats', value: value.value.map(Math.fround) } : value
}

function oneNode(
  g: GraphBuilder,
  op: Op,
  { outputs = 1 }: Row,
  handles: readonly (Handle | undefined)[],
  attributes: CaseAttributes,
): Handle[] {
  const wanted = typeof outputs === 'number' ? new Array<boolean>(outputs).fill(true) : outputs
  const names = wanted.map((is, index) => (is ? `output${index}` : ''))
  const options = { name: 'node', outputs: names, ...(op.domain !== undefined && { domain: op.domain }) }
  return g.nodes(op.name, handles, attributes, options).filter(({ name }) => name !== '')
}

function hash(text: string): number {
  let value = 0
  for (const character of text) value = (value * 31 + character.codePointAt(0)!) % 1_000_003
  return value * 10_000
}

/** `float32[2,3]`, with the values where they are few and say something: shapes, axes, words. */
function describe(value: Tensor | undefined): string {
  if (value === undefined) return '-'
  const size = sizeOf(value.shape)
  const telling = value.dtype === 'string' || value.dtype === 'int64' || value.dtype === 'bool' || size <= 2
  const shown =
    !telling || size > 8 ? '' : `=${value.dtype === 'string' ? strings(value) : [...numbers(value)]}`
  return `${value.dtype}[${value.shape}]${shown}`
}

function describeAttribute([name, value]: readonly [string, PlainAttribute]): string {
  const text = attributeText(value)
  return ` ${name}=${text.length > 24 ? `${text.slice(0, 23)}…` : text}`
}

function attributeText(value: PlainAttribute): string {
  if (typeof value !== 'object' || Array.isArray(value)) return `${value}`
  const inner = 'type' in value ? value.value : value
  if (typeof inner !== 'object' || Array.isArray(inner)) return `${inner}`
  return 'dtype' in inner ? describe(inner as Tensor) : 'graph'
}
