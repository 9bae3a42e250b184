/**
 * One case on both sides: our reference evaluation, the peer, and what inference says beforehand. The verdict is
 * agreement, something that the peer does not have, or a difference in words.
 */
import { infer } from '../../src/analysis/infer.ts'
import { EspalierError } from '../../src/errors.ts'
import { evaluateDim } from '../../src/graph/dim.ts'
import { type Graph, tensorType, type ValueType } from '../../src/graph/graph.ts'
import { runReference } from '../../src/runtime/reference.ts'
import type { DType } from '../../src/tensor/dtype.ts'
import { formatShape, sizeOf } from '../../src/tensor/shape.ts'
import { isTensor, type Tensor } from '../../src/tensor/tensor.ts'
import { firstDifference, type Tolerance } from '../../src/tensor/testing.ts'
import type { PeerCase } from './case.ts'
import { runPeer } from './peer.ts'

export type Verdict =
  | { readonly kind: 'agrees' }
  /** Both refuse the call. */
  | { readonly kind: 'refused' }
  /** The peer does not have it. */
  | { readonly kind: 'unsupported'; readonly what: string }
  | { readonly kind: 'differs'; readonly what: string }

type Tensors = ReadonlyMap<string, Tensor>

/** What a kernel may be off by: some units in the last place of what it computes in. */
const tolerances: Partial<Record<DType, Tolerance>> = {
  float64: { relative: 1e-6, absolute: 1e-8 },
  float16: { relative: 4e-3, absolute: 1e-3 },
  bfloat16: { relative: 2e-2, absolute: 1e-2 },
}
const usual: Tolerance = { relative: 1e-4, absolute: 1e-5 }

/** Runs a case on both sides. */
export async function judge(one: PeerCase): Promise<Verdict> {
  const ours = outcome(() => evaluate(one))
  if (ours instanceof EspalierError) {
    const theirs = await runPeer(
      one.graph,
      one.feeds,
      one.graph.outputs.map(() => 'float32'),
    )
    if (theirs.kind === 'refused') return { kind: 'refused' }
    return {
      kind: 'differs',
      what: `we refuse: ${ours.message}${theirs.kind === 'values' ? '' : ' (and the peer does not have it)'}`,
    }
  }
  const fault = inferenceFault(one, ours)
  if (fault !== undefined) return { kind: 'differs', what: fault }
  const types = one.graph.outputs.map(({ name }) => ours.get(name)!.dtype)
  const theirs = await runPeer(one.graph, one.feeds, types)
  if (theirs.kind === 'unsupported') return { kind: 'unsupported', what: theirs.reason }
  if (theirs.kind === 'refused') return { kind: 'differs', what: `the peer refuses: ${theirs.reason}` }
  const difference = compare(ours, theirs.values, one.tolerance)
  return difference === undefined ? { kind: 'agrees' } : { kind: 'differs', what: difference }
}

function evaluate({ graph, feeds }: PeerCase): Tensors {
  const result = new Map<string, Tensor>()
  for (const [name, value] of runReference(graph, feeds)) {
    if (!isTensor(value)) throw new Error(`${name} is not a tensor; the peer's binding passes nothing else`)
    result.set(name, value)
  }
  return result
}

function outcome<T>(body: () => T): T | EspalierError {
  try {
    return body()
  } catch (error) {
    if (error instanceof EspalierError) return error
    throw error
  }
}

function compare(ours: Tensors, theirs: Tensors, tolerance: Tolerance | undefined): string | undefined {
  for (const [name, wanted] of theirs) {
    const got = ours.get(name)!
    const [x, y] = [got, wanted].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`)
    if (x !== y) return `${name}: got ${x}, wanted ${y}`
    const difference = firstDifference(got, wanted, tolerance ?? tolerances[got.dtype] ?? usual)
    if (difference !== undefined) return `${name}: ${difference}`
  }
  return undefined
}

/**
 * What inference says wrongly, if anything: asked with small integer inputs as constants (as exported models have axes
 * and shapes), then with a symbol for every extent besides, then without the constants.
 */
function inferenceFault({ graph, feeds }: PeerCase, outputs: Tensors): string | undefined {
  const known = new Map<string, ValueType>()
  const symbolic = new Map<string, ValueType>()
  const bindings = new Map<string, number>()
  const constants = new Map<string, Tensor>()
  for (const [name, value] of feeds) {
    if (value.dtype === 'int64' && sizeOf(value.shape) <= 16) constants.set(name, value)
    known.set(name, tensorType(value.dtype, value.shape))
    const symbols = value.shape.map((extent, axis) => {
      bindings.set(`${name}_${axis}`, extent)
      // What broadcasts depends on what is 1, and symbols are taken to be at least 1 (ops/support/bounds.ts).
      return extent <= 1 ? extent : `${name}_${axis}`
    })
    symbolic.set(name, tensorType(value.dtype, symbols))
  }
  const asked: [how: string, types: ReadonlyMap<string, ValueType>, constants: Tensors][] = [
    ['from types and constants', known, constants],
    ['from symbols and constants', symbolic, constants],
  ]
  if (constants.size > 0) asked.push(['from types', known, new Map()])
  for (const [how, types, given] of asked) {
    const inputs = new Map([...types].filter(([name]) => !given.has(name)))
    const inferred = outcome(() => infer(withConstants(graph, given), { inputs }).types)
    if (inferred instanceof EspalierError) return `inference ${how} refuses: ${inferred.message}`
    for (const [name, value] of outputs) {
      const type = inferred.get(name)
      if (type !== undefined && !fits(type, value, bindings))
        return `inference ${how}: ${name} is ${type.kind === 'tensor' ? `${type.dtype} ${type.shape && formatShape(type.shape)}` : type.kind}, computed ${value.dtype} ${formatShape(value.shape)}`
    }
  }
  return undefined
}

function fits(type: ValueType, { dtype, shape }: Tensor, bindings: ReadonlyMap<string, number>): boolean {
  if (type.kind !== 'tensor' || type.dtype !== dtype) return false
  if (type.shape === undefined) return true
  return (
    type.shape.length === shape.length &&
    type.shape.every((dim, axis) => (evaluateDim(dim, bindings) ?? shape[axis]) === shape[axis])
  )
}

function withConstants(graph: Graph, constants: Tensors): Graph {
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => !constants.has(name)),
    initializers: new Map([...graph.initializers, ...constants]),
  }
}
