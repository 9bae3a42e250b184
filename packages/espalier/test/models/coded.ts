/**
 * Models written in code, in the spellings of exporters, for what the real ones lack: a transformer encoder whose
 * shapes are computed in the graph, int8 with quantise-dequantise pairs, recurrence both ways, control flow. Weights
 * come from a small generator of their own, so that stored outputs stay valid.
 */
import {
  type Graph,
  type GraphBuilder,
  graphBuilder,
  type Handle,
  tensorType,
} from '../../src/graph/index.ts'
import { float32, int64, type Tensor, tensor } from '../../src/tensor/index.ts'

export interface CodedModel {
  readonly name: string
  readonly graph: Graph
  /** Inputs by the name of the run. */
  readonly runs: Readonly<Record<string, ReadonlyMap<string, Tensor>>>
  /** Whether onnxruntime may rewrite the model; not where that changes what it computes. */
  readonly optimize: boolean
}

/** Numbers from -scale to scale, the same for the same seed (a linear congruential generator modulo 2^32). */
function noise(seed: number, shape: readonly number[], scale = 1): Tensor<'float32'> {
  let state = Math.imul(seed, 2654435761) >>> 0
  const size = shape.reduce((product, extent) => product * extent, 1)
  const values = Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state / 2 ** 31 - 1) * scale
  })
  return float32(values, shape)
}

const scalar = (value: number): Tensor<'float32'> => float32([value], [])
const ids = (shape: readonly number[], values: readonly number[]): Tensor<'int64'> =>
  tensor('int64', shape, BigInt64Array.from(values, BigInt))

/** A BERT-like encoder of two layers with batch and length left open: as a tracing exporter writes it. */
function encoder(): CodedModel {
  const [width, heads, inner, words, positions] = [16, 4, 32, 50, 12]
  const g = graphBuilder({ name: 'encoder', opset: 17 })
  const input = g.input('input_ids', 'int64', ['batch', 'length'])
  const mask = g.input('attention_mask', 'int64', ['batch', 'length'])
  let seed = 1
  const weight = (shape: readonly number[], scale = 0.5) => g.constant(noise(seed++, shape, scale))
  const index = (value: number) => g.constant(int64(value))
  const list = (...values: number[]) => g.constant(int64(values))
  const extent = (value: Handle, axis: number) => g.node('Gather', [g.node('Shape', [value]), index(axis)])
  const asList = (value: Handle) => g.node('Unsqueeze', [value, list(0)])
  const linear = (x: Handle, from: number, to: number) =>
    g.node('Add', [g.node('MatMul', [x, weight([from, to])]), weight([to], 0.1)])

  /** Layer normalisation taken apart, as exporters before opset 17 do. */
  const normalize = (x: Handle): Handle => {
    const centred = g.node('Sub', [x, g.node('ReduceMean', [x], { axes: [-1] })])
    const variance = g.node('ReduceMean', [g.node('Pow', [centred, g.constant(scalar(2))])], { axes: [-1] })
    const deviation = g.node('Sqrt', [g.node('Add', [variance, g.constant(scalar(1e-12))])])
    const scaled = g.node('Mul', [g.node('Div', [centred, deviation]), weight([width])])
    return g.node('Add', [scaled, weight([width], 0.1)])
  }
  const gelu = (x: Handle): Handle => {
    const erf = g.node('Erf', [g.node('Div', [x, g.constant(scalar(Math.SQRT2))])])
    const half = g.node('Mul', [x, g.node('Add', [erf, g.constant(scalar(1))])])
    return g.node('Mul', [half, g.constant(scalar(0.5))])
  }
  const [batch, length] = [extent(input, 0), extent(input, 1)]
  const place = g.node('Slice', [
    g.constant(
      ids(
        [1, positions],
        Array.from({ length: positions }, (_, i) => i),
      ),
    ),
    list(0),
    asList(length),
    list(1),
  ])
  const embedded = g.node('Add', [
    g.node('Gather', [weight([words, width]), input]),
    g.node('Gather', [weight([positions, width]), place]),
  ])
  let x = normalize(embedded)
  const open = g.node('Cast', [g.node('Unsqueeze', [g.node('Unsqueeze', [mask, list(1)]), list(2)])], {
    to: 1,
  })
  const closed = g.node('Mul', [g.node('Sub', [g.constant(scalar(1)), open]), g.constant(scalar(-10_000))])
  const split = (value: Handle): Handle => {
    const shape = g.node('Concat', [asList(batch), asList(length), list(heads), list(width / heads)], {
      axis: 0,
    })
    return g.node('Transpose', [g.node('Reshape', [value, shape])], { perm: [0, 2, 1, 3] })
  }
  for (let layer = 0; layer < 2; layer++) {
    const [query, key, value] = [0, 1, 2].map(() => split(linear(x, width, width))) as [
      Handle,
      Handle,
      Handle,
    ]
    const product = g.node('MatMul', [query, g.node('Transpose', [key], { perm: [0, 1, 3, 2] })])
    const scores = g.node('Add', [
      g.node('Div', [product, g.constant(scalar(Math.sqrt(width / heads)))]),
      closed,
    ])
    const context = g.node(
      'Transpose',
      [g.node('MatMul', [g.node('Softmax', [scores], { axis: -1 }), value])],
      { perm: [0, 2, 1, 3] },
    )
    const joined = g.node('Reshape', [
      context,
      g.node('Concat', [asList(batch), asList(length), list(width)], { axis: 0 }),
    ])
    const attended = g.node('Add', [x, linear(joined, width, width)])
    x =
      layer === 0
        ? normalize(attended)
        : g.node('LayerNormalization', [attended, weight([width]), weight([width], 0.1)], { axis: -1 })
    const fed = g.node('Add', [x, linear(gelu(linear(x, width, inner)), inner, width)])
    x = normalize(fed)
  }
  const first = g.node('Gather', [x, index(0)], { axis: 1 })
  const pooled = g.node('Tanh', [
    g.node('Gemm', [first, weight([width, width]), weight([width])], { transB: 1 }),
  ])
  g.output(
    g.node('Identity', [x], {}, { outputs: ['last_hidden_state'] }),
    tensorType('float32', ['batch', 'length', width]),
  )
  g.output(g.node('Identity', [pooled], {}, { outputs: ['pooled'] }), tensorType('float32', ['batch', width]))
  const run = (rows: number, columns: number, shown: number): ReadonlyMap<string, Tensor> => {
    const all = Array.from({ length: rows * columns }, (_, i) => i)
    return new Map([
      [
        'input_ids',
        ids(
          [rows, columns],
          all.map(i => (i * 17 + 3) % words),
        ),
      ],
      [
        'attention_mask',
        ids(
          [rows, columns],
          all.map(i => (i % columns < shown ? 1 : 0)),
        ),
      ],
    ])
  }
  return {
    name: 'encoder',
    graph: g.build(),
    runs: { '1x7': run(1, 7, 7), '3x12, padded': run(3, 12, 9) },
    optimize: true,
  }
}

/** An int8 network of two convolutions: float operators between quantise-dequantise pairs, weights by channel. */
function quantized(): CodedModel {
  const g = graphBuilder({ name: 'quantized', opset: 13 })
  const x = g.input('x', 'float32', ['n', 3, 10, 10])
  const zeroPoint = (dtype: 'uint8' | 'int8', value: number) =>
    g.constant(
      dtype === 'uint8' ? tensor('uint8', [], Uint8Array.of(value)) : tensor('int8', [], Int8Array.of(value)),
    )
  const pair = (value: Handle, scale: number, dtype: 'uint8' | 'int8', zero: number): Handle => {
    const s = g.constant(scalar(scale))
    const z = zeroPoint(dtype, zero)
    return g.node('DequantizeLinear', [g.node('QuantizeLinear', [value, s, z]), s, z])
  }
  const convolution = (value: Handle, from: number, to: number, seed: number, group = 1): Handle => {
    const weights = noise(seed, [to, from / group, 3, 3], 127)
    const quantizedWeights = g.constant(
      tensor('int8', weights.shape, Int8Array.from(weights.data, Math.round)),
    )
    const scales = g.constant(float32(Array.from({ length: to }, (_, i) => 0.002 + 0.0005 * i)))
    const zeros = g.constant(tensor('int8', [to], new Int8Array(to)))
    const w = g.node('DequantizeLinear', [quantizedWeights, scales, zeros], { axis: 0 })
    return g.node('Relu', [
      g.node('Conv', [value, w, g.constant(noise(seed + 1, [to], 0.2))], { pads: [1, 1, 1, 1], group }),
    ])
  }
  let y = pair(x, 0.0157, 'int8', 3)
  y = pair(convolution(y, 3, 8, 11), 0.031, 'uint8', 0)
  y = pair(convolution(y, 8, 8, 13, 4), 0.043, 'uint8', 0)
  y = g.node('GlobalAveragePool', [g.node('MaxPool', [y], { kernel_shape: [2, 2], strides: [2, 2] })])
  y = g.node('Gemm', [g.node('Flatten', [y]), g.constant(noise(17, [5, 8])), g.constant(noise(18, [5]))], {
    transB: 1,
  })
  g.output(y, tensorType('float32', ['n', 5]))
  return {
    name: 'quantized',
    graph: g.build(),
    runs: {
      one: new Map([['x', noise(21, [1, 3, 10, 10], 2)]]),
      four: new Map([['x', noise(22, [4, 3, 10, 10], 2)]]),
    },
    optimize: false,
  }
}

/** Recurrence in both directions over sequences of several lengths, in both orders of reset and product. */
function recurrent(): CodedModel {
  const [features, hidden] = [5, 6]
  const g = graphBuilder({ name: 'recurrent', opset: 14 })
  const x = g.input('x', 'float32', ['steps', 'batch', features])
  const lengths = g.input('lengths', 'int32', ['batch'])
  const layer = (
    op: string,
    gates: number,
    from: number,
    value: Handle,
    seed: number,
    more: Record<string, number | string>,
    outputs: string[],
  ): Handle[] => {
    const weights = [
      [2, gates * hidden, from],
      [2, gates * hidden, hidden],
      [2, 2 * gates * hidden],
    ].map((shape, i) => g.constant(noise(seed + i, shape, 0.6)))
    return g.nodes(
      op,
      [value, ...weights, lengths],
      { hidden_size: hidden, direction: 'bidirectional', ...more },
      { outputs },
    )
  }
  const joined = (value: Handle): Handle => {
    const transposed = g.node('Transpose', [value], { perm: [0, 2, 1, 3] })
    return g.node('Reshape', [transposed, g.constant(int64([0, 0, -1]))])
  }
  const [first] = layer('GRU', 3, features, x, 31, { linear_before_reset: 1 }, ['gru1', 'gru1_last'])
  const [second] = layer('GRU', 3, 2 * hidden, joined(first!), 41, {}, ['gru2', 'gru2_last'])
  const lstm = layer('LSTM', 4, 2 * hidden, joined(second!), 51, {}, ['lstm', 'lstm_last', 'lstm_cell'])
  const rnn = layer('RNN', 1, 2 * hidden, joined(lstm[0]!), 61, {}, ['rnn'])
  for (const value of [first!, second!, ...lstm, ...rnn]) g.output(value, tensorType('float32'))
  const run = (steps: number, lengthsOf: number[]): ReadonlyMap<string, Tensor> =>
    new Map<string, Tensor>([
      ['x', noise(steps, [steps, lengthsOf.length, features])],
      ['lengths', tensor('int32', [lengthsOf.length], Int32Array.from(lengthsOf))],
    ])
  return {
    name: 'recurrent',
    graph: g.build(),
    runs: { full: run(4, [4]), mixed: run(7, [7, 3, 5]) },
    optimize: true,
  }
}

/** Newton's iteration in a loop that ends by its condition, a running sum by `Scan`, and a choice between bodies. */
function controlFlow(): CodedModel {
  const vector = tensorType('float32', ['n'])
  // Values of a body have names of their own: ONNX knows no shadowing.
  const step = body('step', g => {
    const named = (op: string, inputs: readonly Handle[], output: string): Handle =>
      g.node(op, inputs, op === 'ReduceMax' ? { keepdims: 0 } : {}, { name: output, outputs: [output] })
    g.inputOf('i', tensorType('int64', []))
    g.inputOf('go_on', tensorType('bool', []))
    const guess = g.inputOf('guess', vector)
    const sum = named('Add', [guess, named('Div', [{ name: 'x' }, guess], 'quotient')], 'doubled')
    const next = named('Mul', [sum, g.constant(scalar(0.5), 'half')], 'next')
    const distance = named('Abs', [named('Sub', [next, guess], 'difference')], 'distance')
    const change = named('ReduceMax', [distance], 'change')
    g.output(named('Greater', [change, g.constant(scalar(1e-3), 'enough')], 'more'), tensorType('bool', []))
    g.output(next, vector)
    g.output(named('Identity', [change], 'changes'), tensorType('float32', []))
  })
  const running = body('running', g => {
    const sum = g.inputOf('sum', tensorType('float32', []))
    const element = g.inputOf('element', tensorType('float32', []))
    const total = g.node('Add', [sum, element], {}, { outputs: ['total'] })
    g.output(total, tensorType('float32', []))
    g.output(g.node('Identity', [total], {}, { outputs: ['so_far'] }), tensorType('float32', []))
  })
  const branch = (op: string, output: string): Graph =>
    body(op, g => g.output(g.node(op, [{ name: 'roots' }], {}, { outputs: [output] }), vector))
  const g = graphBuilder({ name: 'control flow', opset: 16 })
  const x = g.input('x', 'float32', ['n'])
  const start = g.node('Add', [g.node('Mul', [x, g.constant(scalar(0.5))]), g.constant(scalar(0.5))])
  const limit = g.constant(int64(50))
  const [roots, changes] = g.nodes(
    'Loop',
    [limit, g.constant(tensor('bool', [], Uint8Array.of(1))), start],
    { body: step },
    { outputs: ['roots', 'steps'] },
  )
  const [total, sums] = g.nodes(
    'Scan',
    [g.constant(scalar(0)), roots!],
    { body: running, num_scan_inputs: 1 },
    { outputs: ['sum_of_roots', 'sums'] },
  )
  const large = g.node('Greater', [total!, g.constant(scalar(10))])
  const chosen = g.node(
    'If',
    [large],
    { then_branch: branch('Log', 'logs'), else_branch: branch('Neg', 'negated') },
    { outputs: ['chosen'] },
  )
  g.output(roots!, vector)
  g.output(changes!, tensorType('float32', [null]))
  g.output(total!, tensorType('float32', []))
  g.output(sums!, vector)
  g.output(chosen, vector)
  const run = (values: number[]): ReadonlyMap<string, Tensor> => new Map([['x', float32(values)]])
  return {
    name: 'control-flow',
    graph: g.build(),
    runs: { small: run([2, 9, 0.25]), large: run([1e4, 2e4, 3, 50, 7]) },
    optimize: true,
  }
}

function body(name: string, fill: (g: GraphBuilder) => void): Graph {
  const g = graphBuilder({ name, opset: 16 })
  fill(g)
  return g.build()
}

export const codedModels: readonly CodedModel[] = [encoder(), quantized(), recurrent(), controlFlow()]
