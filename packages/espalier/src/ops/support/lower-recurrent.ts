/**
 * From recurrent layers to steps: the inputs of all steps of time go through one matrix product, then one step walks
 * through time with the packed recurrent weights.
 */

import { makeStep, type Operand, type Step } from '../../plan/step.ts'
import { gemmLayouts } from '../../plan/steps/gemm.ts'
import { recurrentCells } from '../../plan/steps/recurrent.ts'
import type { LowerContext } from '../lower.ts'
import { type ActivationName, activationCodes } from './activation.ts'
import { type NamedActivation, namedActivations } from './recurrent-activations.ts'

/** The activations that kernels have, by the names of recurrent operators. */
const kernelActivations: Readonly<Record<string, ActivationName>> = {
  relu: 'relu',
  tanh: 'tanh',
  sigmoid: 'sigmoid',
  leakyrelu: 'leaky_relu',
  hardsigmoid: 'hard_sigmoid',
  elu: 'elu',
}

/** What an operator says of its layer. */
export interface RecurrentLayer {
  readonly cell: keyof typeof recurrentCells
  readonly gates: number
  /** The activations of one direction where the node names none. */
  readonly activations: readonly string[]
  /** For each direction, whether it runs backwards. */
  readonly backwards: readonly boolean[]
  readonly batchFirst: boolean
  /** LSTM: the forget gate is 1 - the input gate. */
  readonly coupled: boolean
}

export function lowerRecurrent(c: LowerContext, layer: RecurrentLayer): string | undefined {
  const { cell, gates, backwards, batchFirst } = layer
  const { dtype, shape } = c.type(0)
  if (dtype !== 'float32') return `no kernel for ${dtype}`
  const directions = backwards.length
  const named = namedActivations(c.attributes, directions, layer.activations)
  const missing = named.flat().find(({ name }) => !(name in kernelActivations))
  if (missing !== undefined) return `no kernel has the activation ${missing.name}`
  const [steps, samples] = (batchFirst ? [shape[1], shape[0]] : shape) as [number, number]
  const inputs = shape[2]!
  const hidden = c.type(2).shape[2]!
  if (hidden === 0 || inputs === 0) return 'a layer without units or inputs'
  const columns = directions * gates * hidden

  const projected = c.scratch(4 * steps * samples * columns)
  emitProjection(c, projected, steps * samples, inputs, columns)
  const split = cell === 'gru' ? 2 : gates
  c.emit('recurrent_f32', {
    x: projected,
    r: packedGates(c, { directions, gates, hidden, first: 0, count: split }),
    rHidden:
      cell === 'gru' ? packedGates(c, { directions, gates, hidden, first: split, count: 1 }) : undefined,
    bias: c.optionalInput(3),
    lengths: c.optionalInput(4),
    initialH: c.optionalInput(5),
    initialC: c.optionalInput(6),
    peepholes: c.optionalInput(7),
    parameters: c.table(parametersOf(named)),
    scratch: c.scratch(16 * directions * samples * hidden),
    y: optionalOutput(c, 0),
    yH: optionalOutput(c, 1),
    yC: optionalOutput(c, 2),
    cell: recurrentCells[cell],
    steps,
    samples,
    directions,
    hidden,
    backwards: backwards.reduce((bits, backward, d) => bits | (Number(backward) << d), 0),
    batchFirst: Number(batchFirst),
    coupled: Number(layer.coupled),
    activations: named.flatMap(list => [0, 1, 2].map(i => (list[i] ? codeOf(list[i].name) : 0))),
    clip: c.attributes.optionalFloat('clip') ?? -1,
  })
  return undefined
}

/** alpha and beta of three activations for each direction. */
function parametersOf(named: readonly (readonly NamedActivation[])[]): Float32Array {
  const none = { alpha: 0, beta: 0 }
  return Float32Array.from(
    named.flatMap(list => [0, 1, 2].flatMap(i => [(list[i] ?? none).alpha, (list[i] ?? none).beta])),
  )
}

function codeOf(name: string): number {
  return activationCodes[kernelActivations[name]!]
}

function optionalOutput(c: LowerContext, index: number): Operand | undefined {
  return c.hasOutput(index) ? c.output(index) : undefined
}

/** A weight in the layout of its kernel: packed once when it is a constant, in every run otherwise. */
function weight(
  c: LowerContext,
  input: number,
  layout: string,
  bytes: number,
  pack: (from: Operand, to: Operand) => Step,
): Operand {
  const constant = c.constant(input)
  if (constant !== undefined) return c.packed(layout, constant, bytes, pack)
  const to = c.scratch(bytes)
  const { kind, values } = pack(c.input(input), to)
  c.emit(kind, values as never)
  return to
}

/** to[row, column] = X[row] . W[column], for the rows of all steps and samples and the columns of all gates. */
function emitProjection(c: LowerContext, to: Operand, rows: number, inputs: number, columns: number): void {
  if (rows === 0) return
  const tile = c.target.traits.gemmColumns
  const b = weight(
    c,
    1,
    `gemm_f32 columns ${tile} of [${columns}, ${inputs}]`,
    4 * Math.ceil(columns / tile) * tile * inputs,
    (x, y) =>
      makeStep(
        'pack_gemm_f32',
        { x, y, matrices: 1, k: inputs, n: columns, matrixStride: 0, rowStride: 1, columnStride: inputs },
        [],
      ),
  )
  c.emit('gemm_f32', {
    a: c.input(0),
    b,
    bias: undefined,
    residual: undefined,
    y: to,
    scratch: undefined,
    m: rows,
    n: columns,
    k: inputs,
    layout: gemmLayouts.panels,
    aStride: inputs,
    bStride: 0,
    yStride: columns,
    biasRow: 0,
    biasColumn: 0,
    biasScale: 1,
    scale: 1,
    activation: 0,
    alpha: 0,
    beta: 0,
    batchRank: 0,
    batch: [],
    aBatch: [],
    bBatch: [],
    biasBatch: [],
    yBatch: [],
  })
}

interface GateRange {
  readonly directions: number
  readonly gates: number
  readonly hidden: number
  readonly first: number
  readonly count: number
}

function packedGates(c: LowerContext, range: GateRange): Operand {
  const { directions, gates, hidden, first, count } = range
  const { lanes } = c.target.traits
  const bytes = 4 * directions * Math.ceil(hidden / lanes) * lanes * hidden * count
  return weight(
    c,
    2,
    `recurrent_f32 gates ${first} to ${first + count} of ${gates}, ${lanes}`,
    bytes,
    (x, y) => makeStep('pack_recurrent_f32', { x, y, directions, gates, first, count, hidden }, []),
  )
}
