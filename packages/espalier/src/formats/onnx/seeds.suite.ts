/** Small models of every kind, as bytes: what the fuzz tests start from. */
import { floatAttribute, graphBuilder, type Handle } from '../../graph/builder.ts'
import { type Graph, tensorType } from '../../graph/graph.ts'
import { float32, int64, tensor, zeros } from '../../tensor/tensor.ts'
import { concatBytes } from '../io/bytes.ts'
import { modelBytes, payload } from './messages.suite.ts'
import type { NodeProto } from './proto.ts'
import { encodeOnnx } from './write.ts'

const ramp = (...shape: number[]) => {
  const result = zeros('float32', shape)
  for (let i = 0; i < result.data.length; i++) result.data[i] = ((i * 7) % 11) / 11 - 0.5
  return result
}
const bool = (value: boolean) => tensor('bool', [], Uint8Array.of(value ? 1 : 0))

function convolutional(): Graph {
  const g = graphBuilder({ name: 'convolutional', opset: 17 })
  const x = g.input('x', 'float32', ['n', 2, 8, 8])
  let y = g.node('Conv', [x, g.constant(ramp(3, 2, 3, 3)), g.constant(ramp(3))], {
    pads: [1, 1, 1, 1],
    strides: [2, 1],
  })
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map(() => g.constant(ramp(3))) as [
    Handle,
    Handle,
    Handle,
    Handle,
  ]
  y = g.node('BatchNormalization', [y, scale, bias, mean, variance], { epsilon: floatAttribute(1e-5) })
  y = g.node('MaxPool', [g.node('Relu', [y])], { kernel_shape: [2, 2], auto_pad: 'SAME_UPPER', ceil_mode: 1 })
  y = g.node('ConvTranspose', [y, g.constant(ramp(3, 2, 2, 2))], { strides: [2, 2], output_padding: [1, 0] })
  y = g.node('AveragePool', [y], { kernel_shape: [2, 2], count_include_pad: 1 })
  const sizes = g.constant(int64([1, 2, 4, 4]))
  y = g.node('Resize', [y, undefined, undefined, sizes], { mode: 'linear' })
  y = g.node('Gemm', [g.node('Flatten', [y]), g.constant(ramp(5, 32))], {
    transB: 1,
    alpha: floatAttribute(0.5),
  })
  g.output(g.node('Softmax', [y], { axis: -1 }), tensorType('float32', ['n', 5]))
  return g.build()
}

/** Shapes computed as exporters do it, with everything that makes tensors from numbers. */
function shapes(): Graph {
  const g = graphBuilder({ name: 'shapes', opset: 18 })
  const x = g.input('x', 'float32', ['batch', 'length', 6])
  const at = (index: number) =>
    g.node('Gather', [g.node('Shape', [x]), g.constant(int64(index))], { axis: 0 })
  const axes = g.constant(int64([0]))
  const one = (value: Handle) => g.node('Unsqueeze', [value, axes])
  const wanted = g.node('Concat', [one(at(0)), one(at(1)), g.constant(int64([2, 3]))], { axis: 0 })
  let y = g.node('Transpose', [g.node('Reshape', [x, wanted])], { perm: [0, 2, 1, 3] })
  y = g.node('Slice', [
    y,
    g.constant(int64([0])),
    g.constant(int64([2 ** 40])),
    g.constant(int64([2])),
    g.constant(int64([2])),
  ])
  const range = g.node('Range', [g.constant(int64(0)), g.constant(int64(8)), g.constant(int64(2))])
  const filled = g.node('ConstantOfShape', [g.constant(int64([2, 3]))], { value: float32([1.5]) })
  const tiled = g.node('Tile', [filled, g.constant(int64([2, 1]))])
  const expanded = g.node('Expand', [g.constant(ramp(3, 1)), g.constant(int64([2, 3, 4]))])
  const padded = g.node('Pad', [expanded, g.constant(int64([0, 1, 0, 0, 1, 0]))], { mode: 'constant' })
  const hot = g.node('OneHot', [range, g.constant(int64(9)), g.constant(float32([0, 1]))], { axis: -1 })
  const einsum = g.node('Einsum', [tiled, g.constant(ramp(3, 2))], { equation: 'ij,jk->ik' })
  const parts = g.nodes(
    'Split',
    [padded, g.constant(int64([1, 1]))],
    { axis: 0 },
    { outputs: ['first', 'second'] },
  )
  const topK = g.nodes('TopK', [hot, g.constant(int64([2]))], { axis: 1 }, { outputs: ['values', 'indices'] })
  const sums = [...parts, ...topK, einsum].map(part =>
    g.node('ReduceMean', [g.node('Cast', [part], { to: 1 })], { keepdims: 0 }),
  )
  const eye = g.node('EyeLike', [tiled], { k: 1 })
  const cumulative = g.node('CumSum', [eye, g.constant(int64(1))])
  const where = g.node('Where', [g.node('Greater', [cumulative, eye]), cumulative, eye])
  const updates = g.node('ScatterND', [
    where,
    g.constant(int64([[0, 1]].flat())),
    g.constant(tensor('float32', [], Float32Array.of(2))),
  ])
  g.output(
    g.node('Sum', [
      ...sums,
      g.node('ReduceSum', [updates], { keepdims: 0 }),
      g.node('ReduceMax', [y], { keepdims: 0 }),
    ]),
  )
  return g.build()
}

function controlFlow(): Graph {
  const carried = tensorType('float32', [2])
  const step = graphBuilder({ name: 'step', opset: 16 })
  step.inputOf('i', tensorType('int64', []))
  step.inputOf('go', tensorType('bool', []))
  const state = step.inputOf('state', carried)
  const next = step.node('Add', [state, { name: 'x' }], {}, { outputs: ['next'] })
  step.output(step.node('Identity', [{ name: 'go' }], {}, { outputs: ['stay'] }))
  step.output(next, carried)
  step.output(step.node('Mul', [next, next], {}, { outputs: ['square'] }), carried)
  const scan = graphBuilder({ name: 'scan', opset: 16 })
  const sum = scan.inputOf('sum', carried)
  const row = scan.inputOf('row', carried)
  const total = scan.node('Add', [sum, row], {}, { outputs: ['total'] })
  scan.output(total, carried)
  scan.output(scan.node('Identity', [total], {}, { outputs: ['partial'] }), carried)
  const branch = (op: string, output: string) => {
    const b = graphBuilder({ name: op, opset: 16 })
    b.output(b.node(op, [{ name: 'x' }], {}, { outputs: [output] }))
    return b.build()
  }
  const g = graphBuilder({ name: 'control flow', opset: 16 })
  const x = g.input('x', 'float32', [2])
  const trips = g.constant(int64(3))
  const [final, rows] = g.nodes(
    'Loop',
    [trips, g.constant(bool(true)), x],
    { body: step.build() },
    { outputs: ['final', 'rows'] },
  )
  const [scanned] = g.nodes(
    'Scan',
    [final!, rows!],
    { body: scan.build(), num_scan_inputs: 1 },
    { outputs: ['scanned', 'partials'] },
  )
  const condition = g.node('Greater', [
    g.node('ReduceSum', [x], { keepdims: 0 }),
    g.constant(tensor('float32', [], Float32Array.of(0))),
  ])
  const chosen = g.node('If', [condition], {
    then_branch: branch('Neg', 'negative'),
    else_branch: branch('Exp', 'power'),
  })
  const sequence = g.node('SequenceConstruct', [scanned!, chosen])
  g.output(g.node('ConcatFromSequence', [sequence], { axis: 0 }))
  return g.build()
}

function quantized(): Graph {
  const g = graphBuilder({ name: 'quantized', opset: 21 })
  const x = g.input('x', 'float32', [1, 2, 4, 4])
  const scale = g.constant(tensor('float32', [], Float32Array.of(0.05)))
  const zero = g.constant(tensor('uint8', [], Uint8Array.of(128)))
  const q = g.node('QuantizeLinear', [x, scale, zero])
  const w = g.constant(
    tensor(
      'int8',
      [3, 2, 3, 3],
      Int8Array.from({ length: 54 }, (_, i) => i * 3 - 80),
    ),
  )
  const scales = g.constant(float32([0.01, 0.02, 0.03]))
  const y = g.node('QLinearConv', [
    q,
    scale,
    zero,
    w,
    scales,
    g.constant(tensor('int8', [3], new Int8Array(3))),
    scale,
    zero,
  ])
  const packed = g.constant(tensor('int4', [2, 5], Uint8Array.of(1, 2, 3, 4, 5)))
  const blocks = g.node('DequantizeLinear', [packed, g.constant(ramp(2, 1))], { axis: 1, block_size: 5 })
  g.output(g.node('DequantizeLinear', [y, scale, zero]))
  g.output(
    g.node('MatMulInteger', [
      g.constant(tensor('uint8', [2, 2], Uint8Array.of(1, 2, 3, 4))),
      g.constant(tensor('int8', [2, 1], Int8Array.of(1, -1))),
    ]),
  )
  g.output(blocks)
  return g.build()
}

function recurrent(): Graph {
  const g = graphBuilder({ name: 'recurrent', opset: 14 })
  const x = g.input('x', 'float32', ['t', 1, 3])
  const lstm = g.nodes(
    'LSTM',
    [x, g.constant(ramp(1, 16, 3)), g.constant(ramp(1, 16, 4)), g.constant(ramp(1, 32))],
    { hidden_size: 4 },
    { outputs: ['y', 'h', 'c'] },
  )
  const squeezed = g.node('Squeeze', [lstm[0]!, g.constant(int64([1]))])
  const gru = g.nodes(
    'GRU',
    [squeezed, g.constant(ramp(2, 6, 4)), g.constant(ramp(2, 6, 2))],
    { hidden_size: 2, direction: 'bidirectional', linear_before_reset: 1 },
    { outputs: ['z'] },
  )
  const normal = g.node('LayerNormalization', [gru[0]!, g.constant(ramp(2))], { axis: -1 })
  g.output(
    g.node('Attention', [g.node('Squeeze', [normal, g.constant(int64([2]))])], {}, { domain: 'other' }),
  )
  g.output(g.node('Unique', [g.constant(int64([3, 1, 3]))], { sorted: 1 }))
  g.output(g.node('NonMaxSuppression', [g.constant(ramp(1, 2, 4)), g.constant(ramp(1, 1, 2))], {}))
  return {
    ...g.build(),
    opsets: new Map([
      ['', 14],
      ['other', 1],
    ]),
  }
}

function functions(): Uint8Array {
  const node = (op: string, inputs: string[], outputs: string[], more: NodeProto = {}): NodeProto => ({
    op,
    inputs,
    outputs,
    ...more,
  })
  const value = (name: string) => ({
    name,
    type: { tensor: { elementType: 1, shape: { dims: [{ param: 'n' }, { value: 2 }] } } },
  })
  return modelBytes(
    {
      name: 'functions',
      inputs: [value('x')],
      outputs: [value('z')],
      nodes: [
        node('Outer', ['x'], ['y'], { domain: 'local', attributes: [{ name: 'slope', type: 1, f: 0.5 }] }),
        node('Leaky', ['y'], ['z'], { domain: 'local' }),
      ],
      initializers: [
        {
          name: 'external',
          dataType: 1,
          dims: [2],
          dataLocation: 1,
          externalData: [
            { key: 'location', value: 'w' },
            { key: 'offset', value: '4' },
          ],
        },
        { name: 'typed', dataType: 7, dims: [3], int64Data: [payload(Uint8Array.of(1, 2, 3))] },
      ],
      sparseInitializers: [
        {
          values: { name: 'sparse', dataType: 1, dims: [2], rawData: payload(new Uint8Array(8)) },
          indices: { dataType: 7, dims: [2], int64Data: [payload(Uint8Array.of(0, 5))] },
          dims: [2, 3],
        },
      ],
    },
    {
      opsets: [
        { domain: '', version: 20 },
        { domain: 'local', version: 1 },
      ],
      functions: [
        {
          name: 'Leaky',
          domain: 'local',
          inputs: ['a'],
          outputs: ['b'],
          nodes: [
            node('LeakyRelu', ['a'], ['b'], { attributes: [{ name: 'alpha', refName: 'slope', type: 1 }] }),
          ],
          opsets: [{ domain: '', version: 20 }],
          attributeDefaults: [{ name: 'slope', type: 1, f: 0.1 }],
        },
        {
          name: 'Outer',
          domain: 'local',
          inputs: ['a'],
          outputs: ['b'],
          attributes: ['slope'],
          nodes: [
            node('Leaky', ['a'], ['t'], {
              domain: 'local',
              attributes: [{ name: 'slope', refName: 'slope', type: 1 }],
            }),
            node('Leaky', ['t'], ['b'], { domain: 'local' }),
          ],
          opsets: [
            { domain: '', version: 20 },
            { domain: 'local', version: 1 },
          ],
        },
      ],
    },
  )
}

/** The file that the weights of one of the models are in. */
export const externalData: ReadonlyMap<string, Uint8Array> = new Map([['w', new Uint8Array(16)]])

export const seeds: readonly Uint8Array[] = [
  ...[convolutional(), shapes(), controlFlow(), quantized(), recurrent()].map(graph =>
    concatBytes(encodeOnnx(graph)),
  ),
  functions(),
]
