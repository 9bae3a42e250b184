/**
 * What RNN, GRU and LSTM share: shapes, directions, layouts, sequence lengths, and the walk through time. An
 * operator adds its cell: one step of one sample. States stay in float64 from step to step and are rounded
 * when written out.
 *
 * Axes: T steps, N samples, D directions, I inputs, H hidden units, G gates.
 */
import { EspalierError } from '../../errors.ts'
import { addDims, multiplyDims, productOfDims } from '../../graph/dim.ts'
import type { Dim, ValueType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, type Shape } from '../../tensor/shape.ts'
import { allocate, type Tensor } from '../../tensor/tensor.ts'
import type { Attributes, EvaluateContext, InferContext, Op } from '../op.ts'
import {
  type AttributeSchema,
  floats,
  floats16,
  int,
  optional,
  type Schema,
  string,
  type TypeName,
} from '../schema.ts'
import { typed } from './infer.ts'
import { lowerRecurrent, type RecurrentLayer } from './lower-recurrent.ts'
import { outputSize } from './movement.ts'
import { type Activation, readActivations } from './recurrent-activations.ts'

/** What a cell keeps of one direction. */
export interface CellWeights {
  readonly hidden: number
  /** R [G*H, H]. */
  readonly recurrent: Float64Array
  /** Rb [G*H]; zeros when there is no bias. */
  readonly recurrentBias: Float64Array
  readonly activations: readonly Activation[]
  /** P [number of peepholes * H]; `undefined` where there are none. */
  readonly peepholes: Float64Array | undefined
}

/** State of one sample: the hidden state, and for LSTM the cell's. Both [H], written in place. */
export interface CellState {
  readonly hidden: Float64Array
  readonly cell: Float64Array
}

/** One step of one sample. `gates` [G*H] holds X W^T + Wb and may be written over. */
export type CellStep = (gates: Float64Array, state: CellState) => void

export interface RecurrentDefinition extends Pick<Op, 'name' | 'doc'> {
  readonly gates: number
  /** Activations of one direction where the node names none. */
  readonly activations: readonly string[]
  readonly attributes?: Readonly<Record<string, AttributeSchema>>
  /** Whether there is a cell state beside the hidden one, with peepholes. */
  readonly hasCell?: boolean
  cell(attributes: Attributes, weights: CellWeights): CellStep
  /** The cell of the kernel that does the same. */
  kernel(attributes: Attributes): RecurrentLayer['cell']
}

export function recurrentOp(definition: RecurrentDefinition): Op {
  const { name, doc, hasCell = false } = definition
  const version = (T: readonly TypeName[], layout: Record<string, AttributeSchema>): Schema => ({
    inputs: [
      ...['X: T', 'W: T', 'R: T', 'B?: T', 'sequence_lens?: T1', 'initial_h?: T'],
      ...(hasCell ? ['initial_c?: T', 'P?: T'] : []),
    ],
    outputs: ['Y?: T', 'Y_h?: T', ...(hasCell ? ['Y_c?: T'] : [])],
    types: { T, T1: ['int32'] },
    attributes: {
      activation_alpha: optional('floats'),
      activation_beta: optional('floats'),
      activations: optional('strings'),
      clip: optional('float'),
      direction: string('forward'),
      hidden_size: optional('int'),
      ...definition.attributes,
      ...layout,
    },
  })
  return {
    name,
    doc,
    versions: {
      7: version(floats16, {}),
      14: version(floats16, { layout: int(0) }),
      22: version(floats, { layout: int(0) }),
    },
    infer,
    macs(c) {
      const [x, w, r] = [c.shape(0), c.shape(1), c.shape(2)]
      if (x === undefined || w === undefined || r === undefined) return null
      return multiplyDims(productOfDims(x.slice(0, 2)), addDims(productOfDims(w), productOfDims(r)))
    },
    weights: () => [1, 2].map(input => ({ input, rows: [0, 1], columns: [2] })),
    evaluate: c => evaluate(c, definition),
    lower: c =>
      lowerRecurrent(c, {
        cell: definition.kernel(c.attributes),
        gates: definition.gates,
        activations: definition.activations,
        backwards: readDirections(c.attributes).map(direction => direction === 'reverse'),
        batchFirst: readBatchFirst(c.attributes),
        coupled: hasCell && c.attributes.int('input_forget') !== 0,
      }),
  }
}

type Direction = 'forward' | 'reverse'

function readDirections(attributes: Attributes): readonly Direction[] {
  const direction = attributes.string('direction')
  switch (direction) {
    case 'forward':
    case 'reverse':
      return [direction]
    case 'bidirectional':
      return ['forward', 'reverse']
    default:
      throw new EspalierError('bad-argument', 'unknown direction', {
        where: { field: 'direction' },
        expected: 'forward, reverse or bidirectional',
        got: direction,
      })
  }
}

/** Whether samples come before steps. */
function readBatchFirst(attributes: Attributes): boolean {
  const layout = attributes.optionalInt('layout') ?? 0
  if (layout === 0 || layout === 1) return layout === 1
  throw new EspalierError('bad-argument', 'unknown layout', {
    where: { field: 'layout' },
    expected: '0 or 1',
    got: `${layout}`,
  })
}

/** A 3-D tensor [first, second, H] of states, or Y with the steps added, in either layout. */
function stateShape<D extends Dim>(
  batchFirst: boolean,
  directions: number,
  samples: D,
  hidden: D,
): (D | number)[] {
  return batchFirst ? [samples, directions, hidden] : [directions, samples, hidden]
}

function outputShape<D extends Dim>(
  batchFirst: boolean,
  steps: D,
  directions: number,
  samples: D,
  hidden: D,
): (D | number)[] {
  return batchFirst ? [samples, steps, directions, hidden] : [steps, directions, samples, hidden]
}

function infer(c: InferContext): readonly (ValueType | undefined)[] {
  const directions = readDirections(c.attributes).length
  const batchFirst = readBatchFirst(c.attributes)
  const shape = c.shape(0) ?? [null, null, null]
  if (shape.length !== 3)
    throw new EspalierError('bad-shape', 'the input of a recurrent layer has not three axes', {
      expected: 'steps, samples and features',
      got: formatShape(shape),
    })
  const [first, second] = shape as [Dim, Dim, Dim]
  const [steps, samples] = batchFirst ? [second, first] : [first, second]
  const hidden = c.shape(2)?.[2] ?? c.attributes.optionalInt('hidden_size') ?? null
  const dtype = c.dtype(0)
  const state = typed(dtype, stateShape(batchFirst, directions, samples, hidden))
  const all = [typed(dtype, outputShape(batchFirst, steps, directions, samples, hidden)), state, state]
  return all.slice(0, c.outputCount)
}

function evaluate(c: EvaluateContext, definition: RecurrentDefinition): Tensor[] {
  const { attributes } = c
  const [x, w, r] = [c.tensor(0), c.tensor(1), c.tensor(2)]
  const directions = readDirections(attributes)
  const batchFirst = readBatchFirst(attributes)
  requireShape(x, 'X', [null, null, null])
  const [steps, samples] = (batchFirst ? [x.shape[1], x.shape[0]] : x.shape) as [number, number]
  const inputs = x.shape[2]!
  const hidden = r.shape.at(-1) ?? 0
  const D = directions.length
  const gates = definition.gates * hidden
  requireShape(w, 'W', [D, gates, inputs])
  requireShape(r, 'R', [D, gates, hidden])
  requireHiddenSize(attributes, hidden)
  const bias = optionalNumbers(c, 3, 'B', [D, 2 * gates]) ?? new Float64Array(D * 2 * gates)
  const lengths = readLengths(c.optionalTensor(4), samples, steps)
  const states = stateShape(batchFirst, D, samples, hidden)
  const yH = optionalNumbers(c, 5, 'initial_h', states)?.slice() ?? new Float64Array(D * samples * hidden)
  const yC = optionalNumbers(c, 6, 'initial_c', states)?.slice() ?? new Float64Array(D * samples * hidden)
  const peepholes = optionalNumbers(c, 7, 'P', [D, 3 * hidden])
  const activations = readActivations(attributes, D, definition.activations)
  const [xs, ws, rs] = [numbers(x), numbers(w), numbers(r)]
  const y = allocate('float64', outputSize('float64', [steps, D, samples, hidden]))
  const row = new Float64Array(gates)

  for (const [d, direction] of directions.entries()) {
    const ownWeights = ws.subarray(d * gates * inputs, (d + 1) * gates * inputs)
    const inputBias = bias.subarray(d * 2 * gates, (d * 2 + 1) * gates)
    const step = definition.cell(attributes, {
      hidden,
      recurrent: rs.subarray(d * gates * hidden, (d + 1) * gates * hidden),
      recurrentBias: bias.subarray((d * 2 + 1) * gates, (d + 1) * 2 * gates),
      activations: activations[d]!,
      peepholes: peepholes?.subarray(d * 3 * hidden, (d + 1) * 3 * hidden),
    })
    for (let n = 0; n < samples; n++) {
      const at = (batchFirst ? n * D + d : d * samples + n) * hidden
      const state = { hidden: yH.subarray(at, at + hidden), cell: yC.subarray(at, at + hidden) }
      const length = lengths[n]!
      for (let s = 0; s < length; s++) {
        const t = direction === 'forward' ? s : length - 1 - s
        const from = (batchFirst ? n * steps + t : t * samples + n) * inputs
        row.set(inputBias)
        addProduct(row, ownWeights, xs.subarray(from, from + inputs))
        step(row, state)
        y.set(state.hidden, (batchFirst ? (n * steps + t) * D + d : (t * D + d) * samples + n) * hidden)
      }
    }
  }
  return [
    fromNumbers(x.dtype, outputShape(batchFirst, steps, D, samples, hidden), y),
    fromNumbers(x.dtype, states, yH),
    fromNumbers(x.dtype, states, yC),
  ].slice(0, c.outputCount)
}

/** y += matrix vector, with `matrix` [y.length, vector.length]. */
export function addProduct(y: Float64Array, matrix: Float64Array, vector: Float64Array): void {
  const columns = vector.length
  for (let i = 0; i < y.length; i++) {
    const at = i * columns
    let sum = 0
    for (let j = 0; j < columns; j++) sum += matrix[at + j]! * vector[j]!
    y[i]! += sum
  }
}

function requireShape(source: Tensor, name: string, shape: readonly (number | null)[]): void {
  if (
    source.shape.length === shape.length &&
    shape.every((extent, axis) => extent === null || extent === source.shape[axis])
  )
    return
  throw new EspalierError('bad-shape', `"${name}" does not fit the other inputs`, {
    expected: formatShape(shape),
    got: formatShape(source.shape),
  })
}

function requireHiddenSize(attributes: Attributes, hidden: number): void {
  const stated = attributes.optionalInt('hidden_size')
  if (stated === undefined || stated === hidden) return
  throw new EspalierError('bad-argument', 'the number of hidden units is not that of the weights', {
    where: { field: 'hidden_size' },
    expected: `${hidden}`,
    got: `${stated}`,
  })
}

function optionalNumbers(
  c: EvaluateContext,
  index: number,
  name: string,
  shape: Shape,
): Float64Array | undefined {
  const source = c.optionalTensor(index)
  if (source === undefined) return undefined
  requireShape(source, name, shape)
  return numbers(source)
}

/** How many steps of each sample count. */
function readLengths(source: Tensor | undefined, samples: number, steps: number): Float64Array {
  if (source === undefined) return new Float64Array(samples).fill(steps)
  requireShape(source, 'sequence_lens', [samples])
  const lengths = numbers(source)
  const wrong = lengths.find(length => length < 0 || length > steps)
  if (wrong === undefined) return lengths
  throw new EspalierError('bad-argument', `a sequence cannot have ${wrong} steps`, {
    expected: `0 to ${steps}`,
  })
}
