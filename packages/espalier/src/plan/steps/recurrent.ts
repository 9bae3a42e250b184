/** LSTM, GRU and RNN layers: what remains after the inputs of all steps have gone through one matrix product. */
import type { StepSpec } from '../fields.ts'

/** `cell` of the step. `gru_linear` applies the reset gate behind the recurrent product, `gru` before it. */
export const recurrentCells = { rnn: 0, lstm: 1, gru: 2, gru_linear: 3 } as const

const packFields = {
  /** R [directions, gates, hidden, hidden] */
  x: 'in',
  /** [directions, ceil(hidden / lanes), hidden, count, lanes]: zeros where there is no unit. */
  y: 'out',
  directions: 'int',
  gates: 'int',
  /** The gates that are packed together. */
  first: 'int',
  count: 'int',
  hidden: 'int',
} as const

const recurrentFields = {
  /** X W^T: [steps * samples, directions, gates, hidden], samples first when `batchFirst`. */
  x: 'in',
  /** Packed recurrent weights; of `gru` those of gates 0 and 1. */
  r: 'in',
  /** Packed recurrent weights of gate 2 of `gru`. */
  rHidden: 'in?',
  /** Wb and Rb: [directions, 2, gates, hidden]. */
  bias: 'in?',
  /** int32 [samples] */
  lengths: 'in?',
  initialH: 'in?',
  initialC: 'in?',
  /** [directions, 3, hidden] */
  peepholes: 'in?',
  /** alpha and beta of each activation: float32 [directions, 3, 2]. */
  parameters: 'in',
  /** 4 * directions * samples * hidden floats. */
  scratch: 'scratch',
  y: 'out?',
  yH: 'out?',
  yC: 'out?',
  /** One of {@link recurrentCells}. */
  cell: 'int',
  steps: 'int',
  samples: 'int',
  directions: 'int',
  hidden: 'int',
  /** Bit d: direction d runs backwards. */
  backwards: 'int',
  batchFirst: 'int',
  /** LSTM: the forget gate is 1 - the input gate. */
  coupled: 'int',
  /** Codes of activations: [directions, 3]. */
  activations: 'int[6]',
  /** Bound on what activations are applied to; below 0 for none. */
  clip: 'float',
} as const

export interface RecurrentSteps {
  readonly pack_recurrent_f32: StepSpec<typeof packFields>
  readonly recurrent_f32: StepSpec<typeof recurrentFields>
}

const gatesOf = [1, 4, 3, 3]

export const recurrentSteps: RecurrentSteps = {
  pack_recurrent_f32: {
    doc: 'Recurrent weights of some gates in panels of `lanes` units, gates side by side.',
    fields: packFields,
    cost: ({ directions, count, hidden }) => ({ flops: 0, bytes: 8 * directions * count * hidden * hidden }),
  },
  recurrent_f32: {
    doc: 'The walk of a recurrent layer through time.',
    fields: recurrentFields,
    cost({ cell, steps, samples, directions, hidden }) {
      const weights = directions * gatesOf[cell]! * hidden * hidden
      return {
        flops: 2 * steps * samples * weights,
        bytes: 4 * steps * (weights + samples * directions * hidden),
      }
    },
  },
}
