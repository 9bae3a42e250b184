/** Checks what a caller feeds against what a graph states about its inputs, before anything runs. */
import { EspalierError } from '../errors.ts'
import { describeType, describeValue } from '../graph/describe.ts'
import { evaluateDim } from '../graph/dim.ts'
import { type Graph, tensorType, type Value } from '../graph/graph.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import { isTensor, type RuntimeValue } from '../tensor/tensor.ts'
import type { Feeds, Values } from './executor.ts'

/** Inputs that a caller must feed: those without a default among the initialisers. */
export function requiredInputs(graph: Graph): Value[] {
  return graph.inputs.filter(({ name }) => !graph.initializers.has(name))
}

/**
 * The feeds by name. Throws `missing-input` or `unknown-input` with all names concerned, `bad-dtype` or
 * `bad-shape` where a value is not what the graph states; a symbol must have one value throughout.
 */
export function checkFeeds(graph: Graph, feeds: Feeds): Values {
  const values: Values = feeds instanceof Map ? feeds : new Map(Object.entries(feeds))
  const known = new Set(graph.inputs.map(({ name }) => name))
  const list = (names: Iterable<string>): string => [...names].map(name => `"${name}"`).join(', ') || 'none'
  const unknown = [...values.keys()].filter(name => !known.has(name))
  if (unknown.length > 0)
    throw new EspalierError('unknown-input', `the graph has no input ${list(unknown)}`, {
      expected: list(known),
    })
  const missing = requiredInputs(graph).filter(({ name }) => values.get(name) === undefined)
  if (missing.length > 0)
    throw new EspalierError('missing-input', `no value for ${missing.map(describeValue).join(', ')}`)
  const symbols = new Map<string, { readonly extent: number; readonly input: string }>()
  for (const input of graph.inputs) {
    const value = values.get(input.name)
    if (value !== undefined) checkValue(input, value, symbols)
  }
  return values
}

function checkValue(
  { name, type }: Value,
  value: RuntimeValue,
  symbols: Map<string, { readonly extent: number; readonly input: string }>,
): void {
  const where = { tensor: name }
  if (type === undefined) return
  if (type.kind === 'optional') {
    if (value !== null && type.element) checkValue({ name, type: type.element }, value, symbols)
    return
  }
  if (type.kind === 'sequence') {
    if (!Array.isArray(value))
      throw new EspalierError('bad-dtype', 'the input is a sequence', { where, got: describeRuntime(value) })
    return
  }
  if (type.kind !== 'tensor') return
  if (!isTensor(value))
    throw new EspalierError('bad-dtype', 'the input is a tensor', { where, got: describeRuntime(value) })
  if (value.dtype !== type.dtype)
    throw new EspalierError('bad-dtype', 'the input has another data type', {
      where,
      expected: type.dtype,
      got: value.dtype,
    })
  const { shape } = type
  if (shape === undefined) return
  const misfit = (hint?: string): EspalierError =>
    new EspalierError('bad-shape', 'the input has another shape', {
      where,
      expected: formatShape(shape),
      got: formatShape(value.shape),
      ...(hint !== undefined && { hint }),
    })
  if (shape.length !== value.shape.length) throw misfit()
  for (const [axis, dim] of shape.entries()) {
    const extent = value.shape[axis]!
    if (typeof dim === 'number' && dim !== extent) throw misfit()
    if (typeof dim !== 'string') continue
    const bound = symbols.get(dim)
    if (bound === undefined) symbols.set(dim, { extent, input: name })
    else if (bound.extent !== extent)
      throw misfit(`"${dim}" is ${bound.extent} in input "${bound.input}" and must be the same here`)
  }
  const bindings = new Map([...symbols].map(([symbol, { extent }]) => [symbol, extent]))
  const resolved = shape.map((dim, axis) => evaluateDim(dim, bindings) ?? value.shape[axis]!)
  if (!sameShape(resolved, value.shape)) throw misfit()
}

function describeRuntime(value: RuntimeValue): string {
  if (value === null) return 'an empty optional'
  return isTensor(value)
    ? describeType(tensorType(value.dtype, value.shape))
    : `a sequence of ${value.length}`
}
