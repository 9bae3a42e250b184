/**
 * Iteration over the slices of tensors: the body is given state and one slice of every scanned input, and
 * gives new state and one slice of every scanned output. Version 8 works on batches (axis 0 counts samples,
 * axis 1 is scanned); from version 9 on there is no batch, and axes and directions are free.
 */
import { EspalierError } from '../../errors.ts'
import type { Dim, Graph, ValueType } from '../../graph/graph.ts'
import { numbers } from '../../tensor/elements.ts'
import { formatShape, normalizeAxis } from '../../tensor/shape.ts'
import { type RuntimeValue, type Tensor, zeros } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext, InferContext, Op } from '../op.ts'
import * as types from '../schema.ts'
import { carriedTypes, checkBody, collectable, collectedType, stackIterations } from '../support/bodies.ts'
import { typed } from '../support/infer.ts'
import { concatenate, sliceAt, stack } from '../support/pieces.ts'

const { optional, required } = types

const version = (V: readonly types.TypeName[]): types.Schema => ({
  inputs: ['initial_state_and_scan_inputs...: V*'],
  outputs: ['final_state_and_scan_outputs...: V*'],
  types: { V },
  attributes: {
    body: required('graph'),
    num_scan_inputs: required('int'),
    scan_input_axes: optional('ints'),
    scan_input_directions: optional('ints'),
    scan_output_axes: optional('ints'),
    scan_output_directions: optional('ints'),
  },
})

export const Scan: Op = {
  name: 'Scan',
  doc: 'Runs `body` on slice after slice of its inputs, carrying state along and collecting slices of its outputs.',
  versions: {
    8: {
      inputs: ['sequence_lens?: I', 'initial_state_and_scan_inputs...: V*'],
      outputs: ['final_state_and_scan_outputs...: V*'],
      types: { I: ['int64'], V: types.allTypes },
      attributes: {
        body: required('graph'),
        num_scan_inputs: required('int'),
        directions: optional('ints'),
      },
    },
    9: version(types.allTypes),
    11: version(types.allTypes),
    16: version(types.allTypes13),
    19: version(types.allTypes19),
    21: version(types.allTypes21),
    23: version(types.allTypes23),
    24: version(types.allTypes24),
    25: version(types.allTypes25),
  },
  infer: c => (c.version === 8 ? inferBatch(c) : inferScan(c)),
  evaluate: c => (c.version === 8 ? evaluateBatch(c) : evaluateScan(c)),
}

/** How the inputs and outputs of a node divide. */
interface Layout {
  readonly body: Graph
  readonly states: number
  readonly scanned: number
  readonly collected: number
}

function layoutOf(attributes: Attributes, inputs: number): Layout {
  const body = attributes.graph('body')
  const scanned = attributes.int('num_scan_inputs')
  if (scanned < 1 || scanned > inputs)
    throw new EspalierError('bad-argument', 'num_scan_inputs does not fit the inputs', {
      expected: `1 to ${inputs}`,
      got: `${scanned}`,
    })
  const states = inputs - scanned
  checkBody(body, inputs, states)
  return { body, states, scanned, collected: body.outputs.length - states }
}

/** A list attribute of `length` entries; zeros when left out. */
function flags(attributes: Attributes, name: string, length: number): readonly number[] {
  const list = attributes.optionalInts(name) ?? new Array<number>(length).fill(0)
  if (list.length === length) return list
  throw new EspalierError('bad-argument', 'an attribute has the wrong number of entries', {
    where: { field: name },
    expected: `${length}`,
    got: `${list.length}`,
  })
}

interface Directions {
  readonly inputAxes: readonly number[]
  readonly inputReversed: readonly boolean[]
  readonly outputAxes: readonly number[]
  readonly outputReversed: readonly boolean[]
}

function directionsOf(attributes: Attributes, { scanned, collected }: Layout): Directions {
  const reversed = (name: string, length: number): boolean[] =>
    flags(attributes, name, length).map(flag => flag === 1)
  return {
    inputAxes: flags(attributes, 'scan_input_axes', scanned),
    inputReversed: reversed('scan_input_directions', scanned),
    outputAxes: flags(attributes, 'scan_output_axes', collected),
    outputReversed: reversed('scan_output_directions', collected),
  }
}

/** The one extent of all scanned inputs. */
function commonExtent(inputs: readonly Tensor[], axes: readonly number[]): number {
  const extents = inputs.map((input, k) => input.shape[normalizeAxis(axes[k]!, input.shape.length)]!)
  if (extents.every(extent => extent === extents[0])) return extents[0]!
  throw new EspalierError('bad-shape', 'the scanned inputs have several lengths', {
    got: inputs.map((input, k) => `${formatShape(input.shape)} along axis ${axes[k]}`).join(', '),
  })
}

function evaluateScan(c: EvaluateContext): readonly RuntimeValue[] {
  const layout = layoutOf(c.attributes, c.inputs.length)
  const { body, states, scanned } = layout
  const { inputAxes, inputReversed, outputAxes, outputReversed } = directionsOf(c.attributes, layout)
  const scans = Array.from({ length: scanned }, (_, k) => c.tensor(states + k))
  const length = commonExtent(scans, inputAxes)
  const initial = Array.from({ length: states }, (_, index) => c.tensor(index))
  const { state, collected } = iterate(c, layout, initial, length, (k, t) =>
    sliceAt(scans[k]!, inputAxes[k]!, inputReversed[k] ? length - 1 - t : t),
  )
  return [
    ...state,
    ...collected.map((parts, k) =>
      stackIterations(outputReversed[k] ? parts.toReversed() : parts, outputAxes[k]!, body, states + k),
    ),
  ]
}

interface Iterated {
  readonly state: readonly RuntimeValue[]
  /** For every collected output, its value in each iteration. */
  readonly collected: readonly (readonly Tensor[])[]
}

/** Runs the body `length` times; `element(k, t)` is the slice of scanned input `k` in iteration `t`. */
function iterate(
  c: EvaluateContext,
  { body, states, scanned, collected: count }: Layout,
  initial: readonly RuntimeValue[],
  length: number,
  element: (k: number, t: number) => Tensor,
): Iterated {
  let state = initial
  const collected = Array.from({ length: count }, (): Tensor[] => [])
  for (let t = 0; t < length; t++) {
    const elements = Array.from({ length: scanned }, (_, k) => element(k, t))
    const outputs = c.runGraph(body, [...state, ...elements])
    state = outputs.slice(0, states)
    for (const [k, parts] of collected.entries()) parts.push(collectable(outputs[states + k]!))
  }
  return { state, collected }
}

function evaluateBatch(c: EvaluateContext): readonly RuntimeValue[] {
  const layout = layoutOf(c.attributes, c.inputs.length - 1)
  const { body, states, scanned } = layout
  const reversed = flags(c.attributes, 'directions', scanned)
  const initial = Array.from({ length: states }, (_, k) => c.tensor(1 + k))
  const scans = Array.from({ length: scanned }, (_, k) => c.tensor(1 + states + k))
  const longest = commonExtent(scans, new Array<number>(scanned).fill(1))
  const batch = commonExtent([...initial, ...scans], new Array<number>(states + scanned).fill(0))
  const lengths = sequenceLengths(c.optionalTensor(0), batch, longest)

  const samples = lengths.map((length, sample): Tensor[] => {
    const { state, collected } = iterate(
      c,
      layout,
      initial.map(tensor => sliceAt(tensor, 0, sample)),
      length,
      (k, t) => sliceAt(sliceAt(scans[k]!, 0, sample), 0, reversed[k] === 1 ? length - 1 - t : t),
    )
    const outputs = collected.map((parts, k) => padRows(stackIterations(parts, 0, body, states + k), longest))
    return [...state.map(collectable), ...outputs]
  })
  if (samples.length === 0) throw new EspalierError('bad-shape', 'Scan has an empty batch')
  return samples[0]!.map((_, index) =>
    stack(
      samples.map(sample => sample[index]!),
      0,
    ),
  )
}

function sequenceLengths(given: Tensor | undefined, batch: number, longest: number): number[] {
  if (given === undefined) return new Array<number>(batch).fill(longest)
  const lengths = Array.from(numbers(given))
  if (given.shape.length !== 1 || lengths.length !== batch || lengths.some(n => n < 0 || n > longest))
    throw new EspalierError('bad-argument', 'the sequence lengths do not fit the inputs', {
      expected: `${batch} lengths from 0 to ${longest}`,
      got: `[${lengths.join(', ')}]`,
    })
  return lengths
}

/** `part` with rows of zeros after it, `length` rows in all. */
function padRows(part: Tensor, length: number): Tensor {
  const missing = length - part.shape[0]!
  return missing === 0
    ? part
    : concatenate([part, zeros(part.dtype, part.shape.with(0, missing)) as Tensor], 0)
}

// ---- inference

function inferScan(c: InferContext): readonly (ValueType | undefined)[] {
  const layout = layoutOf(c.attributes, c.inputs.length)
  const { states, scanned } = layout
  const { inputAxes, outputAxes } = directionsOf(c.attributes, layout)
  const elements = Array.from({ length: scanned }, (_, k) => withoutAxis(c.tensor(states + k), inputAxes[k]!))
  const length = elements.find(({ extent }) => extent !== null)?.extent ?? null
  const { state, collected } = inferIterations(
    c,
    layout,
    c.inputs.slice(0, states),
    elements.map(e => e.type),
  )
  return [...state, ...collected.map((type, k) => collectedType(type, outputAxes[k]!, length))]
}

function inferBatch(c: InferContext): readonly (ValueType | undefined)[] {
  const layout = layoutOf(c.attributes, c.inputs.length - 1)
  const inputs = c.inputs.slice(1).map((_, index) => withoutAxis(c.tensor(1 + index), 0))
  const batch = inputs.find(({ extent }) => extent !== null)?.extent ?? null
  const elements = inputs.slice(layout.states).map(({ type }) => withoutAxis(type, 0))
  const length = elements.find(({ extent }) => extent !== null)?.extent ?? null
  const { state, collected } = inferIterations(
    c,
    layout,
    inputs.slice(0, layout.states).map(({ type }) => type),
    elements.map(({ type }) => type),
  )
  return [
    ...state.map(type => collectedType(type, 0, batch)),
    ...collected.map(type => collectedType(collectedType(type, 0, length), 0, batch)),
  ]
}

function inferIterations(
  c: InferContext,
  { body, states }: Layout,
  initial: readonly (ValueType | undefined)[],
  elements: readonly (ValueType | undefined)[],
): { state: (ValueType | undefined)[]; collected: readonly (ValueType | undefined)[] } {
  let outputs: readonly (ValueType | undefined)[] = []
  const state = carriedTypes(initial, types => {
    outputs = c.inferGraph(body, [...types, ...elements])
    return outputs
  })
  return { state, collected: outputs.slice(states) }
}

/** The type of a slice, and the extent of the axis it is cut from. */
function withoutAxis(
  type: ValueType | undefined,
  axis: number,
): { type: ValueType | undefined; extent: Dim } {
  if (type?.kind !== 'tensor') return { type: undefined, extent: null }
  if (type.shape === undefined) return { type, extent: null }
  const at = normalizeAxis(axis, type.shape.length)
  return { type: typed(type.dtype, type.shape.toSpliced(at, 1)), extent: type.shape[at]! }
}
