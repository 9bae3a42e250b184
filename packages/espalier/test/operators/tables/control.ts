/** Bodies of If, Loop and Scan; sequences and optionals. The peer's binding passes no sequence, so that graphs take them apart. */
import {
  type GraphBuilder,
  graphBuilder,
  type Handle,
  type PlainAttribute,
} from '../../../src/graph/builder.ts'
import { type Graph, tensorType } from '../../../src/graph/graph.ts'
import { type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import type { Row } from '../case.ts'
import { any, i64, real, scalar, values } from '../draw.ts'

const float = tensorType('float32')
const long = (value: number): Tensor => tensor('int64', [], BigInt64Array.of(BigInt(value)))
const flag = (value: boolean): Tensor => tensor('bool', [], Uint8Array.of(value ? 1 : 0))
const outer = (index: number): Handle => ({ name: `input${index}` })

/** A body: what `build` makes of the builder gives its outputs. Their types are stated, as the peer wants them to be. */
function body(
  build: (g: GraphBuilder) => readonly (readonly [Handle, ReturnType<typeof tensorType>])[],
): Graph {
  const g = graphBuilder({ name: 'body' })
  for (const [output, type] of build(g)) g.output(output, type)
  return g.build()
}

const one = (op: string, inputs: readonly Handle[]): Graph =>
  body(b => [[b.node(op, inputs, {}, { outputs: [`${op}_in_body`] }), float]])

/** Carries `x`, doubled while its sum is below a bound, and collects what it was. */
const doubling = body(g => {
  g.input('i', 'int64', [])
  const going = g.input('going', 'bool', [])
  const x = g.input('x', 'float32', [2])
  const twice = g.node('Add', [x, outer(0)])
  const sum = g.node('ReduceSum', [twice], { keepdims: 0 })
  const below = g.node('Less', [sum, g.constant(tensor('float32', [], Float32Array.of(20)))])
  const still = g.node('And', [below, going])
  return [
    [still, tensorType('bool', [])],
    [twice, tensorType('float32', [2])],
    [g.node('Identity', [x]), tensorType('float32', [2])],
    [g.node('Cast', [{ name: 'i' }], { to: 1 }), tensorType('float32', [])],
  ]
})

const branches: readonly Row[] = [
  {
    op: 'If',
    inputs: [true, false].map(choice => [real([2]), real([2]), values([choice ? 1 : 0], [], 'bool')]),
    build: (g, [x, y, condition]) => [
      g.node('If', [condition], {
        then_branch: one('Neg', [x!]),
        else_branch: body(b => [[b.node('Mul', [x!, y!], {}, { outputs: ['product'] }), float]]),
      }),
    ],
  },
]

const loops: readonly Row[] = [
  {
    op: 'Loop',
    inputs: [[values([1, 0.5])], [values([3, 4])], [values([0, 0])]],
    attributes: [
      { trips: 4, start: 1 },
      { trips: 0, start: 1 },
      { trips: 3, start: 0 },
      { trips: 30, start: 1 },
    ],
    build: (g, [x], { trips, start }) =>
      g.nodes(
        'Loop',
        [g.constant(long(trips as number)), g.constant(flag(start === 1)), x],
        { body: doubling },
        { outputs: ['last', 'all', 'counts'] },
      ),
  },
  {
    op: 'Loop',
    inputs: [[values([1, 0.5])]],
    attributes: [{ trips: 3 }],
    build: (g, [x], { trips }) =>
      g.nodes(
        'Loop',
        [g.constant(long(trips as number)), undefined, x],
        { body: doubling },
        { outputs: ['last', 'all', 'counts'] },
      ),
  },
  {
    op: 'Loop',
    inputs: [[values([1, 0.5])]],
    build: (g, [x]) =>
      g.nodes(
        'Loop',
        [undefined, g.constant(flag(true)), x],
        { body: doubling },
        { outputs: ['last', 'all', 'counts'] },
      ),
  },
]

/** Running sum `s` of `x`, shown doubled beside `y`. */
const summing = body(g => {
  const s = g.input('s', 'float32', [2])
  const x = g.input('x', 'float32', [2])
  const y = g.input('y', 'float32', [])
  const next = g.node('Add', [s, x])
  return [
    [next, tensorType('float32', [2])],
    [g.node('Add', [next, next]), tensorType('float32', [2])],
    [g.node('Neg', [y]), tensorType('float32', [])],
  ]
})

const along = (
  axes: readonly [number, number],
  directions: readonly [number, number],
): Record<string, PlainAttribute> => ({
  scan_input_axes: axes,
  scan_input_directions: directions,
})

const scans: readonly Row[] = [
  {
    op: 'Scan',
    since: 9,
    inputs: [[real([2]), real([3, 2]), real([3])]],
    attributes: [
      {},
      along([0, 0], [1, 0]),
      along([0, 0], [0, 1]),
      { scan_output_directions: [1, 0] },
      { scan_output_axes: [1, 0] },
      { scan_output_axes: [-1, -1], scan_output_directions: [0, 1] },
    ],
    build: (g, inputs, attributes) =>
      g.nodes(
        'Scan',
        inputs,
        { body: summing, num_scan_inputs: 2, ...attributes },
        { outputs: ['state', 'sums', 'negatives'] },
      ),
  },
  {
    op: 'Scan',
    since: 9,
    inputs: [[real([2]), real([2, 3]), real([3])]],
    attributes: [along([1, 0], [0, 0]), along([-1, -1], [1, 1])],
    build: (g, inputs, attributes) =>
      g.nodes(
        'Scan',
        inputs,
        { body: summing, num_scan_inputs: 2, ...attributes },
        { outputs: ['state', 'sums', 'negatives'] },
      ),
  },
  {
    op: 'Scan',
    until: 8,
    inputs: [[i64(3, 1), real([2, 2]), real([2, 3, 2]), real([2, 3])]],
    attributes: [{}, { directions: [1, 0] }],
    build: (g, inputs, attributes) =>
      g.nodes(
        'Scan',
        inputs,
        { body: summing, num_scan_inputs: 2, ...attributes },
        { outputs: ['state', 'sums', 'negatives'] },
      ),
  },
  {
    op: 'Scan',
    until: 8,
    inputs: [[real([2, 2]), real([2, 3, 2]), real([2, 3])]],
    build: (g, inputs) =>
      g.nodes(
        'Scan',
        [undefined, ...inputs],
        { body: summing, num_scan_inputs: 2 },
        { outputs: ['state', 'sums', 'negatives'] },
      ),
  },
]

const three = [any([2, 3]), any([2, 3]), any([2, 3])]
const parts = (g: GraphBuilder, sequence: Handle, count: number): Handle[] =>
  Array.from({ length: count }, (_, index) => g.node('SequenceAt', [sequence, g.constant(long(index))]))

const sequences: readonly Row[] = [
  {
    op: 'SequenceConstruct',
    dtypes: 'T',
    without: ['bfloat16'],
    inputs: [three],
    build: (g, inputs) => [
      ...parts(g, g.node('SequenceConstruct', inputs), 3),
      g.node('SequenceLength', [g.node('SequenceConstruct', inputs)]),
    ],
  },
  {
    op: 'SequenceAt',
    inputs: [three],
    attributes: [{ at: 0 }, { at: 2 }, { at: -1 }, { at: -3 }, { at: 3 }],
    build: (g, inputs, { at }) => [
      g.node('SequenceAt', [g.node('SequenceConstruct', inputs), g.constant(long(at as number))]),
    ],
  },
  {
    op: 'SequenceLength',
    inputs: [[any([1])]],
    build: (g, inputs) => [
      g.node('SequenceLength', [g.node('SequenceEmpty', [])]),
      g.node('SequenceLength', [g.node('SequenceConstruct', inputs)]),
    ],
  },
  {
    op: 'SequenceEmpty',
    inputs: [[any([1])]],
    attributes: [{}, { dtype: 7 }],
    build: (g, _, attributes) => [g.node('SequenceLength', [g.node('SequenceEmpty', [], attributes)])],
  },
  {
    op: 'SequenceInsert',
    inputs: [[...three, any([4])]],
    attributes: [{ at: 0 }, { at: 2 }, { at: -1 }, { at: 3 }, { at: -3 }, { at: 4 }],
    build: (g, inputs, { at }) =>
      parts(
        g,
        g.node('SequenceInsert', [
          g.node('SequenceConstruct', inputs.slice(0, 3)),
          inputs[3],
          g.constant(long(at as number)),
        ]),
        4,
      ),
  },
  {
    op: 'SequenceInsert',
    inputs: [[...three, any([4])]],
    build: (g, inputs) =>
      parts(g, g.node('SequenceInsert', [g.node('SequenceConstruct', inputs.slice(0, 3)), inputs[3]]), 4),
  },
  {
    op: 'SequenceErase',
    inputs: [three],
    attributes: [{ at: 0 }, { at: 2 }, { at: -1 }, { at: -3 }, { at: 3 }],
    build: (g, inputs, { at }) =>
      parts(
        g,
        g.node('SequenceErase', [g.node('SequenceConstruct', inputs), g.constant(long(at as number))]),
        2,
      ),
  },
  {
    op: 'SequenceErase',
    inputs: [three],
    build: (g, inputs) => parts(g, g.node('SequenceErase', [g.node('SequenceConstruct', inputs)]), 2),
  },
  {
    op: 'ConcatFromSequence',
    inputs: [three],
    attributes: [
      { axis: 0 },
      { axis: 1 },
      { axis: -1 },
      { axis: 0, new_axis: 1 },
      { axis: 2, new_axis: 1 },
      { axis: -1, new_axis: 1 },
      { axis: -3, new_axis: 1 },
    ],
    build: (g, inputs, attributes) => [
      g.node('ConcatFromSequence', [g.node('SequenceConstruct', inputs)], attributes),
    ],
  },
  {
    op: 'SplitToSequence',
    inputs: [[any([3, 4])]],
    attributes: [{}, { axis: 1 }, { axis: -2 }],
    build: (g, inputs, attributes) => parts(g, g.node('SplitToSequence', inputs, attributes), 3),
  },
  {
    op: 'SplitToSequence',
    inputs: [[any([3, 4])]],
    attributes: [
      { axis: 1, keepdims: 0 },
      { axis: 0, keepdims: 0 },
    ],
    build: (g, inputs, attributes) => parts(g, g.node('SplitToSequence', inputs, attributes), 3),
  },
  {
    op: 'SplitToSequence',
    inputs: [
      [any([3, 5]), scalar(2, 'int64')],
      [any([3, 5]), i64(1, 4)],
      [any([3, 5]), i64(5, 0)],
      [any([3, 5]), scalar(3, 'int32')],
    ],
    attributes: [{ axis: 1 }, { axis: -1, keepdims: 0 }],
    build: (g, inputs, attributes) => parts(g, g.node('SplitToSequence', inputs, attributes), 2),
  },
  {
    op: 'SequenceMap',
    inputs: [[any([2, 3]), any([1]), any([3])]],
    build: (g, inputs) => {
      const map = body(b => {
        const x = b.input('x', 'float32')
        const bias = b.input('bias', 'float32')
        return [
          [b.node('Add', [x, bias]), float],
          [b.node('Shape', [x]), tensorType('int64')],
        ]
      })
      const [sums, shapes] = g.nodes(
        'SequenceMap',
        [g.node('SequenceConstruct', inputs.slice(0, 2)), inputs[2]],
        { body: map },
        { outputs: ['sums', 'shapes'] },
      )
      return [...parts(g, sums!, 2), ...parts(g, shapes!, 2)]
    },
  },
  {
    op: 'Optional',
    inputs: [[any([2, 3])]],
    build: (g, inputs) => [g.node('OptionalGetElement', [g.node('Optional', inputs)])],
  },
  {
    op: 'Optional',
    inputs: [three],
    build: (g, inputs) =>
      parts(g, g.node('OptionalGetElement', [g.node('Optional', [g.node('SequenceConstruct', inputs)])]), 3),
  },
  {
    op: 'OptionalHasElement',
    inputs: [[any([2, 3])]],
    build: (g, inputs) => [
      g.node('OptionalHasElement', [g.node('Optional', inputs)]),
      g.node('OptionalHasElement', [g.node('Optional', [], { type: { type: 'type', value: float } })]),
    ],
  },
  {
    op: 'OptionalHasElement',
    since: 18,
    inputs: [[any([2, 3])]],
    build: (g, inputs) => [g.node('OptionalHasElement', inputs), g.node('OptionalHasElement', [])],
  },
  {
    op: 'OptionalGetElement',
    since: 18,
    inputs: [[any([2, 3])]],
    build: (g, inputs) => [g.node('OptionalGetElement', inputs)],
  },
]

export const control: readonly Row[] = [...branches, ...loops, ...scans, ...sequences]
