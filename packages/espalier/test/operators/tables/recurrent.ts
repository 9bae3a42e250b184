/** Recurrent layers. Sequence lengths, directions, layouts and activations. */
import { floatAttribute as f, floatsAttribute, type PlainAttribute } from '../../../src/graph/builder.ts'
import type { Attribute } from '../../../src/graph/graph.ts'
import type { Row } from '../case.ts'
import { type Input, real, values } from '../draw.ts'

const [time, batch, inputs, hidden] = [4, 3, 2, 5]
const lengths = values([4, 1, 3], [3], 'int32')
const near = { relative: 1e-3, absolute: 1e-5 }
const strings = (...value: string[]): Attribute => ({ type: 'strings', value })

/** X, W, R, B, sequence_lens, initial_h and whatever more, for `gates` gates. */
function operands(gates: number, directions: number, more: readonly Input[] = []): Input[][] {
  const [x, w, r, b] = [
    real([time, batch, inputs]),
    real([directions, gates * hidden, inputs], -1, 1),
    real([directions, gates * hidden, hidden], -1, 1),
    real([directions, 2 * gates * hidden], -1, 1),
  ]
  const h = real([directions, batch, hidden], -1, 1)
  return [
    [x, w, r],
    [x, w, r, b],
    [x, w, r, b, lengths],
    [x, w, r, b, lengths, h, ...more],
    [x, w, r, undefined, undefined, h, ...more.slice(0, 1)],
  ]
}

function batchwise(gates: number, more: readonly Input[] = []): Input[][] {
  const [x, w, r, b] = [
    real([batch, time, inputs]),
    real([1, gates * hidden, inputs], -1, 1),
    real([1, gates * hidden, hidden], -1, 1),
    real([1, 2 * gates * hidden], -1, 1),
  ]
  return [
    [x, w, r],
    [x, w, r, b, lengths, real([batch, 1, hidden], -1, 1), ...more],
  ]
}

interface Layer {
  readonly op: string
  readonly gates: number
  /** Activations of one direction, as alternatives. */
  readonly activations: readonly (readonly string[])[]
  readonly outputs: number
  readonly more: readonly Input[]
  readonly flags: readonly Readonly<Record<string, PlainAttribute>>[]
}

const layers: readonly Layer[] = [
  {
    op: 'RNN',
    gates: 1,
    activations: [
      ['Relu'],
      ['Sigmoid'],
      ['Affine'],
      ['LeakyRelu'],
      ['ThresholdedRelu'],
      ['ScaledTanh'],
      ['HardSigmoid'],
      ['Elu'],
      ['Softsign'],
      ['Softplus'],
    ],
    outputs: 2,
    more: [],
    flags: [],
  },
  {
    op: 'GRU',
    gates: 3,
    activations: [
      ['HardSigmoid', 'Tanh'],
      ['Sigmoid', 'Relu'],
      ['Tanh', 'Softsign'],
    ],
    outputs: 2,
    more: [],
    flags: [{ linear_before_reset: 1 }],
  },
  {
    op: 'LSTM',
    gates: 4,
    activations: [
      ['Sigmoid', 'Tanh', 'Relu'],
      ['HardSigmoid', 'Softsign', 'Tanh'],
    ],
    outputs: 3,
    more: [real([1, batch, hidden], -1, 1), real([1, 3 * hidden], -1, 1)],
    flags: [{ input_forget: 1 }],
  },
]

function both(more: readonly Input[], gates: number): Input[] {
  return more.length === 0 ? [] : [real([2, batch, hidden], -1, 1), real([2, (gates - 1) * hidden], -1, 1)]
}

function rowsOf({ op, gates, activations, outputs, more, flags }: Layer): Row[] {
  const base = { hidden_size: hidden }
  const common = { op, outputs, tolerance: near }
  const every = { clip: f(0.7) }
  return [
    {
      ...common,
      dtypes: ['float32', 'float64'],
      inputs: operands(gates, 1, more),
      attributes: [
        base,
        { ...base, direction: 'reverse' },
        { ...base, ...every },
        ...flags.map(one => ({ ...base, ...one })),
      ],
    },
    {
      ...common,
      inputs: operands(gates, 2, both(more, gates)),
      attributes: [
        { ...base, direction: 'bidirectional' },
        ...flags.map(one => ({ ...base, ...one, direction: 'bidirectional' })),
      ],
    },
    {
      ...common,
      inputs: operands(gates, 1, more).slice(3, 4),
      attributes: activations.flatMap(list => [
        { ...base, activations: strings(...list) },
        {
          ...base,
          activations: strings(...list),
          activation_alpha: floatsAttribute(list.map(() => 0.3)),
          activation_beta: floatsAttribute(list.map(() => 0.6)),
        },
      ]),
    },
    {
      ...common,
      inputs: operands(gates, 2, both(more, gates)).slice(3, 4),
      attributes: [
        { ...base, direction: 'bidirectional', activations: strings(...activations[0]!, ...activations[1]!) },
      ],
    },
    {
      ...common,
      since: 14,
      inputs: batchwise(
        gates,
        more.map((one, index) => (index === 0 ? real([batch, 1, hidden], -1, 1) : one)),
      ),
      attributes: [
        { ...base, layout: 1 },
        { ...base, layout: 1, direction: 'reverse' },
      ],
    },
    {
      ...common,
      inputs: operands(gates, 1, more).slice(3, 4),
      outputs: outputs === 3 ? [false, true, false] : [false, true],
      attributes: [base],
    },
  ]
}

export const recurrent: readonly Row[] = layers.flatMap(rowsOf)
