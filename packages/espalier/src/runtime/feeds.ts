/** Checks what a caller feeds against what a graph states about its inputs, before anything runs. */
import { EspalierError, locate } from '../errors.ts'
import { describeDims, describeType, describeValue } from '../graph/describe.ts'
import { evaluateDim, formatDim, symbolsOf } from '../graph/dim.ts'
import {
  type Dim,
  type Graph,
  type TensorType,
  tensorType,
  type Value,
  type ValueType,
} from '../graph/graph.ts'
import { feedableInputs, inputShape } from '../graph/inputs.ts'
import { isDType } from '../tensor/dtype.ts'
import { formatShape } from '../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor, tensor } from '../tensor/tensor.ts'
import type { Feeds, Values } from './executor.ts'

/** Inputs that a caller must feed: those without a default among the initialisers. */
export function requiredInputs(graph: Graph): Value[] {
  return graph.inputs.filter(({ name }) => !graph.initializers.has(name))
}

/**
 * The feeds by name. Throws `missing-input` or `unknown-input` with all names concerned, `bad-dtype` or
 * `bad-shape` where a value is not what the graph states; a symbol must have one value throughout. An input that is
 * `undefined` counts as not fed.
 */
export function checkFeeds(graph: Graph, feeds: Feeds): Values {
  const given = feeds instanceof Map ? [...feeds] : Object.entries(feeds)
  const values: Values = new Map(given.filter(([, value]) => value !== undefined))
  const inputs = feedableInputs(graph)
  checkNames(graph, inputs, values)
  const extents = new Extents()
  for (const input of inputs) {
    const value = values.get(input.name)
    if (value === undefined) continue
    checkValue(input.name, input.type, value)
    const shape = inputShape(input)
    if (shape !== undefined && isTensor(value)) extents.add(input.name, shape, value.shape)
  }
  extents.check()
  return values
}

function checkNames(graph: Graph, inputs: readonly Value[], values: Values): void {
  const known = new Set(inputs.map(({ name }) => name))
  const unknown = [...values.keys()].filter(name => !known.has(name))
  if (unknown.length > 0)
    throw new EspalierError('unknown-input', `the graph has no input ${quoted(unknown)}`, {
      expected: inputs.length === 0 ? 'no input' : quoted(known),
    })
  const missing = requiredInputs(graph).filter(({ name }) => !values.has(name))
  if (missing.length > 0)
    throw new EspalierError('missing-input', `no value for ${missing.map(describeValue).join(', ')}`)
}

const quoted = (names: Iterable<string>): string => [...names].map(name => `"${name}"`).join(', ')

/** Checks all but the extents that may differ from run to run. */
function checkValue(name: string, type: ValueType | undefined, value: RuntimeValue): void {
  const refuse = (what: string): EspalierError =>
    new EspalierError('bad-dtype', `the input is ${what}`, {
      where: { tensor: name },
      got: describeRuntime(value),
    })
  if (!isRuntimeValue(value))
    throw new EspalierError('bad-dtype', 'the value of the input is no tensor', {
      where: { tensor: name },
      got: describeForeign(value),
      hint: 'tensor(dtype, shape, data) makes one',
    })
  // Kernels are given its address: that the data fills the shape is not taken on trust.
  if (isTensor(value)) locate({ tensor: name }, () => tensor(value.dtype, value.shape, value.data as never))
  switch (type?.kind) {
    case 'tensor':
      if (!isTensor(value)) throw refuse('a tensor')
      checkTensor(name, type, value)
      return
    case 'sequence':
      if (value === null || isTensor(value)) throw refuse('a sequence')
      for (const [index, item] of value.entries()) checkValue(`${name}[${index}]`, type.element, item)
      return
    case 'optional':
      if (value !== null) checkValue(name, type.element, value)
      return
    case 'map':
    case 'sparse':
    case 'opaque':
      throw new EspalierError('unsupported', `inputs of this type cannot be fed`, {
        where: { tensor: name },
        got: describeType(type),
      })
    default: // nothing is stated
      if (value === null || isTensor(value)) return
      for (const [index, item] of value.entries()) checkValue(`${name}[${index}]`, undefined, item)
  }
}

function checkTensor(name: string, type: TensorType, value: Tensor): void {
  if (value.dtype !== type.dtype)
    throw new EspalierError('bad-dtype', 'the input has another data type', {
      where: { tensor: name },
      expected: type.dtype,
      got: value.dtype,
    })
  const { shape } = type
  if (shape === undefined) return
  const fits =
    shape.length === value.shape.length &&
    shape.every((dim, axis) => typeof dim !== 'number' || dim === value.shape[axis])
  if (!fits) throw misfit(name, shape, value.shape)
}

function misfit(name: string, shape: readonly Dim[], got: readonly number[], hint?: string): EspalierError {
  return new EspalierError('bad-shape', 'the input has another shape', {
    where: { tensor: name },
    expected: describeDims(shape),
    got: formatShape(got),
    ...(hint !== undefined && { hint }),
  })
}

/** What is fed for a dimension that is not a number. */
interface Extent {
  readonly dim: string
  readonly extent: number
  readonly input: string
  /** Stated shape of the input, and that of what is fed. */
  readonly shape: readonly Dim[]
  readonly got: readonly number[]
}

/** Extents of one run: a symbol has one value throughout, and an expression has that of its symbols. */
class Extents {
  readonly #all: Extent[] = []

  add(input: string, shape: readonly Dim[], got: readonly number[]): void {
    for (const [axis, dim] of shape.entries())
      if (typeof dim === 'string')
        this.#all.push({ dim: String(formatDim(dim)), extent: got[axis]!, input, shape, got })
  }

  /** Throws `bad-shape` for an extent that does not fit another. */
  check(): void {
    const first = new Map<string, Extent>()
    for (const found of this.#all) {
      const other = first.get(found.dim) ?? found
      first.set(found.dim, other)
      if (other.extent !== found.extent)
        throw misfit(
          found.input,
          found.shape,
          found.got,
          `"${found.dim}" is ${other.extent} in input "${other.input}" and must be the same here`,
        )
    }
    const bindings = new Map(Array.from(first, ([dim, { extent }]) => [dim, extent]))
    for (const found of first.values()) {
      const symbols = symbolsOf(found.dim)
      const wanted = evaluateDim(found.dim, bindings)
      if (wanted === undefined || wanted === found.extent) continue
      const reason = symbols.map(symbol => `"${symbol}" is ${bindings.get(symbol)}`).join(' and ')
      throw misfit(found.input, found.shape, found.got, `Where ${reason}, "${found.dim}" is ${wanted}`)
    }
  }
}

/** Whether a value is a tensor, a sequence or an empty optional; a caller in JavaScript may give anything. */
function isRuntimeValue(value: RuntimeValue): boolean {
  if (value === null || Array.isArray(value)) return true
  return typeof value === 'object' && 'dtype' in value && isDType(value.dtype) && Array.isArray(value.shape)
}

function describeRuntime(value: RuntimeValue): string {
  if (value === null) return 'an empty optional'
  return isTensor(value)
    ? describeType(tensorType(value.dtype, value.shape))
    : `a sequence of ${value.length}`
}

function describeForeign(value: unknown): string {
  return typeof value === 'object' ? `a ${value?.constructor?.name ?? 'object'}` : `a ${typeof value}`
}
