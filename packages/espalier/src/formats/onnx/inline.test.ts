/** Functions of a model, replaced by their bodies: names, attributes, bodies, versions, and every bound. */
import { describe, expect, test } from 'vitest'
import { checkModel } from '../../analysis/check.ts'
import type { Graph, Node } from '../../graph/graph.ts'
import { validate } from '../../graph/validate.ts'
import { runReference } from '../../runtime/reference.ts'
import { float32, type Tensor } from '../../tensor/tensor.ts'
import { modelBytes } from './messages.suite.ts'
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from './proto.ts'
import { parseOnnx } from './read.ts'

const opsets = [
  { domain: '', version: 21 },
  { domain: 'local', version: 1 },
]
const node = (op: string, inputs: string[], outputs: string[], more: NodeProto = {}): NodeProto => ({
  op,
  inputs,
  outputs,
  ...more,
})
const call = (op: string, inputs: string[], outputs: string[], more: NodeProto = {}): NodeProto =>
  node(op, inputs, outputs, { domain: 'local', ...more })
const define = (
  name: string,
  inputs: string[],
  outputs: string[],
  nodes: NodeProto[],
  more: FunctionProto = {},
): FunctionProto => ({
  name,
  domain: 'local',
  inputs,
  outputs,
  nodes,
  opsets: [{ domain: '', version: 21 }],
  ...more,
})
const typed = (name: string) => ({
  name,
  type: { tensor: { elementType: 1, shape: { dims: [{ value: 2 }] } } },
})

/** A model that calls `functions`, with inputs x and y and output z. */
function model(nodes: NodeProto[], functions: FunctionProto[], more: ModelProto = {}): Graph {
  const graph: GraphProto = { nodes, inputs: [typed('x'), typed('y')], outputs: [typed('z')] }
  return parseOnnx(modelBytes(graph, { opsets, functions, ...more }))
}

function run(graph: Graph): number[] {
  expect(checkModel(validate(graph)).problems).toEqual([])
  const outputs = runReference(graph, { x: float32([1, -2]), y: float32([3, 4]) })
  return [...((outputs.get('z') as Tensor).data as Float32Array)]
}

const failure = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'EspalierError', code, message: expect.stringMatching(message) })
const shape = ({ nodes }: { readonly nodes: readonly Node[] }) =>
  nodes.map(({ op, inputs, outputs }) => `${op}(${inputs.join()}) -> ${outputs.join()}`)
const float = (name: string, f: number): AttributeProto => ({ name, type: 1, f })
const reference = (name: string, refName: string): AttributeProto => ({ name, refName, type: 1 })

describe('calls', () => {
  test('are replaced; values inside are named after the call', () => {
    const square = define(
      'Square',
      ['a'],
      ['b'],
      [node('Identity', ['a'], ['t']), node('Mul', ['t', 't'], ['b'], { name: 'm' })],
    )
    const graph = model(
      [call('Square', ['x'], ['s'], { name: 'first' }), call('Square', ['s'], ['z'])],
      [square],
    )
    expect(shape(graph)).toEqual([
      'Identity(x) -> first#1/t',
      'Mul(first#1/t,first#1/t) -> s',
      'Identity(s) -> z#2/t',
      'Mul(z#2/t,z#2/t) -> z',
    ])
    expect(graph.nodes.map(({ name }) => name)).toEqual(['', 'first#1/m', '', 'z#2/m'])
    expect(run(graph)).toEqual([1, 16])
    expect([...graph.opsets.keys()]).toEqual([''])
  })

  test('nest', () => {
    const twice = define('Twice', ['a'], ['b'], [node('Add', ['a', 'a'], ['b'])])
    const four = define('Four', ['a'], ['b'], [call('Twice', ['a'], ['t']), call('Twice', ['t'], ['b'])])
    const graph = model([call('Four', ['x'], ['z'], { name: 'n' })], [four, twice])
    expect(run(graph)).toEqual([4, -8])
    expect(shape(graph)[0]).toBe('Add(x,x) -> n#1/t')
  })

  test('tell overloads and domains apart', () => {
    const functions = [
      define('F', ['a'], ['b'], [node('Neg', ['a'], ['b'])], { overload: 'one' }),
      define('F', ['a'], ['b'], [node('Abs', ['a'], ['b'])], { overload: 'two' }),
      define('Abs', ['a'], ['b'], [node('Exp', ['a'], ['b'])]),
    ]
    expect(run(model([call('F', ['x'], ['z'], { overload: 'one' })], functions))).toEqual([-1, 2])
    expect(run(model([call('F', ['x'], ['z'], { overload: 'two' })], functions))).toEqual([1, 2])
  })

  test('leave inputs out', () => {
    const clip = define('C', ['a', 'low', 'high'], ['b'], [node('Clip', ['a', 'low', 'high'], ['b'])])
    const low = { op: 'Constant', outputs: ['low'], attributes: [float('value_float', 0)] }
    expect(run(model([call('C', ['x'], ['z'])], [clip]))).toEqual([1, -2])
    const graph = model([low, call('C', ['x', 'low'], ['z'])], [clip])
    expect(graph.nodes[1]!.inputs).toEqual(['x', 'low', ''])
    expect(run(graph)).toEqual([1, 0])
  })

  test('leave outputs out', () => {
    const two = define('Two', ['a'], ['p', 'q'], [node('Neg', ['a'], ['p']), node('Exp', ['p'], ['q'])])
    expect(run(model([call('Two', ['x'], ['z'])], [two]))).toEqual([-1, 2])
    expect(run(model([call('Two', ['x'], ['', 'z'])], [two]))[0]).toBeCloseTo(Math.exp(-1), 6)
  })

  test('give an input, or one value twice, as output', () => {
    const same = define('Same', ['a', 'b'], ['b', 'c', 'c'], [node('Neg', ['a'], ['c'])])
    const graph = model(
      [call('Same', ['x', 'y'], ['p', 'q', 'r']), node('Sum', ['p', 'q', 'r'], ['z'])],
      [same],
    )
    expect(shape(graph)).toEqual(['Neg(x) -> q', 'Identity(y) -> p', 'Identity(q) -> r', 'Sum(p,q,r) -> z'])
    expect(run(graph)).toEqual([1, 8])
  })
})

describe('attributes', () => {
  const leaky = define(
    'Leaky',
    ['a'],
    ['b'],
    [node('LeakyRelu', ['a'], ['b'], { attributes: [reference('alpha', 'slope')] })],
    {
      attributes: ['slope'],
    },
  )
  const withDefault = { ...leaky, attributes: [], attributeDefaults: [float('slope', 0.25)] }

  test('come from the call, then from the default, then from the operator', () => {
    const given = { attributes: [float('slope', 0.5)] }
    expect(run(model([call('Leaky', ['x'], ['z'], given)], [leaky]))).toEqual([1, -1])
    expect(run(model([call('Leaky', ['x'], ['z'], given)], [withDefault]))).toEqual([1, -1])
    expect(run(model([call('Leaky', ['x'], ['z'])], [withDefault]))).toEqual([1, -0.5])
    const bare = model([call('Leaky', ['x'], ['z'])], [leaky])
    expect(bare.nodes[0]!.attributes.size).toBe(0)
    expect(run(bare)[1]).toBeCloseTo(-0.02, 6)
  })

  test('pass through calls', () => {
    const outer = define(
      'Outer',
      ['a'],
      ['b'],
      [call('Leaky', ['a'], ['b'], { attributes: [reference('slope', 'k')] })],
    )
    const graph = model([call('Outer', ['x'], ['z'], { attributes: [float('k', 0.5)] })], [outer, leaky])
    expect(run(graph)).toEqual([1, -1])
  })

  test('that are bodies keep the names of the caller', () => {
    const body = (op: string): AttributeProto => ({
      name: 'branch',
      type: 5,
      g: { nodes: [node(op, ['y'], ['o'])], outputs: [typed('o')] },
    })
    const condition = {
      op: 'Constant',
      outputs: ['c'],
      attributes: [
        {
          name: 'value',
          type: 4,
          t: { dataType: 9, dims: [], rawData: { offset: 0, length: 1, bytes: Uint8Array.of(1) } },
        },
      ],
    }
    const either = define(
      'Either',
      ['a', 'y'],
      ['b'],
      [
        condition,
        node('If', ['c'], ['b'], {
          attributes: [
            { name: 'then_branch', refName: 'branch', type: 5 },
            {
              name: 'else_branch',
              type: 5,
              g: { nodes: [node('Neg', ['a'], ['o'])], outputs: [typed('o')] },
            },
          ],
        }),
      ],
    )
    // The function's own y is the caller's x: the given body means the caller's y.
    expect(run(model([call('Either', ['y', 'x'], ['z'], { attributes: [body('Neg')] })], [either]))).toEqual([
      -3, -4,
    ])
  })
})

describe('bodies', () => {
  const branch = (nodes: NodeProto[], output: string, more: GraphProto = {}): GraphProto => ({
    nodes,
    outputs: [typed(output)],
    ...more,
  })
  const always = {
    op: 'Constant',
    outputs: ['c'],
    attributes: [
      {
        name: 'value',
        type: 4,
        t: { dataType: 9, dims: [], rawData: { offset: 0, length: 1, bytes: Uint8Array.of(1) } },
      },
    ],
  }
  const conditional = (then: GraphProto, otherwise: GraphProto, output: string): NodeProto =>
    node('If', ['c'], [output], {
      attributes: [
        { name: 'then_branch', type: 5, g: then },
        { name: 'else_branch', type: 5, g: otherwise },
      ],
    })

  test('inside a function are renamed with their constants, and see its values', () => {
    const one = {
      dataType: 1,
      dims: [1],
      rawData: { offset: 0, length: 4, bytes: Uint8Array.of(0, 0, 0x80, 0x3f) },
    }
    const at0 = { dataType: 7, dims: [1], rawData: { offset: 0, length: 8, bytes: new Uint8Array(8) } }
    const f = define(
      'F',
      ['a'],
      ['b'],
      [
        always,
        node('Neg', ['a'], ['t']),
        conditional(
          branch([node('Add', ['t', 'k'], ['u']), node('Add', ['u', 's'], ['o'])], 'o', {
            initializers: [{ ...one, name: 'k' }],
            sparseInitializers: [{ values: { ...one, name: 's' }, indices: at0, dims: [2] }],
            values: [typed('u')],
          }),
          branch([node('Identity', ['a'], ['o'])], 'o'),
          'b',
        ),
      ],
    )
    const graph = model([call('F', ['x'], ['z'], { name: 'n' })], [f])
    expect(run(graph)).toEqual([1, 3])
    const then = graph.nodes[2]!.attributes.get('then_branch')!.value as Graph
    expect([...then.initializers.keys(), ...then.values.keys()]).toEqual(['n#1/k', 'n#1/s', 'n#1/u'])
  })

  test('may call functions', () => {
    const neg = define('Negate', ['a'], ['b'], [node('Neg', ['a'], ['b'])])
    const body = (output: string): GraphProto => branch([call('Negate', ['y'], [output])], output)
    const graph = model([always, conditional(body('p'), body('q'), 'z')], [neg])
    expect(run(graph)).toEqual([-3, -4])
  })
})

describe('operator sets', () => {
  const f = (version: number | bigint, domain = ''): FunctionProto =>
    define('F', ['a'], ['b'], [node('Abs', ['a'], ['b'], { domain })], { opsets: [{ domain, version }] })
  const calling = [call('F', ['x'], ['z'])]

  test('those of functions are added, those that are left without nodes go', () => {
    expect([...model(calling, [f(3, 'other')]).opsets]).toEqual([
      ['', 21],
      ['other', 3],
    ])
    const both = [call('F', ['x'], ['t']), call('Custom', ['t'], ['z'])]
    expect([...model(both, [f(21)]).opsets]).toEqual([
      ['', 21],
      ['local', 1],
    ])
  })

  test('of a function and the model must agree', () => {
    expect(() => model(calling, [f(20)])).toThrow(
      failure(
        'unsupported-format',
        /node z \(F\): function F uses another version .* expected 21, got 20. Convert/,
      ),
    )
    expect(() => model(calling, [f(21, 'ai.onnx')])).not.toThrow()
  })
})

describe('refused', () => {
  const f = define('F', ['a'], ['b'], [call('G', ['a'], ['b'])])
  test.each<[string, FunctionProto[], NodeProto, RegExp]>([
    [
      'recursion',
      [f, define('G', ['a'], ['b'], [call('F', ['a'], ['b'])])],
      call('F', ['x'], ['z']),
      /function F calls itself; got F -> G -> F/,
    ],
    [
      'too many inputs',
      [f, define('G', ['a'], ['b'], [])],
      call('F', ['x', 'y'], ['z']),
      /too many inputs; expected at most 1, got 2/,
    ],
    [
      'too many outputs',
      [f, define('G', ['a'], ['b'], [])],
      call('F', ['x'], ['z', 'q']),
      /too many outputs/,
    ],
    ['two functions of one name', [f, f], call('F', ['x'], ['z']), /defines function F twice/],
  ])('%s', (_, functions, caller, message) => {
    expect(() => model([caller], functions)).toThrow(failure('malformed', message))
  })

  test('recursion through a body', () => {
    const inner: GraphProto = { nodes: [call('F', ['a'], ['o'])], outputs: [{ name: 'o' }] }
    const loop = node('Loop', ['', ''], ['b'], { attributes: [{ name: 'body', type: 5, g: inner }] })
    expect(() => model([call('F', ['x'], ['z'])], [define('F', ['a'], ['b'], [loop])])).toThrow(
      /calls itself/,
    )
  })

  /** Functions F0 to Fn, each calling the next `calls` times; the last is empty or holds `leaf`. */
  function chain(depth: number, calls: number, leaf: NodeProto[] = []): FunctionProto[] {
    return Array.from({ length: depth + 1 }, (_, i) =>
      define(
        `F${i}`,
        ['a'],
        ['b'],
        i === depth ? leaf : new Array<NodeProto>(calls).fill(call(`F${i + 1}`, ['a'], ['b'])),
      ),
    )
  }

  test('growth without bound, if only of calls of empty functions', () => {
    expect(() => model([call('F0', ['x'], ['z'])], chain(60, 2))).toThrow(failure('too-large', /too often/))
  })

  test('growth of names', () => {
    const long = node('Neg', ['a'], ['b'], { name: 'n'.repeat(100_000) })
    expect(() => model([call('F0', ['x'], ['z'])], chain(14, 2, [long]))).toThrow(
      failure('too-large', /too often/),
    )
  })

  test('functions nested deeper than any model', () => {
    expect(() => model([call('F0', ['x'], ['z'])], chain(5000, 1))).toThrow(
      failure('too-large', /more than 200 deep/),
    )
    expect(model([call('F0', ['x'], ['z'])], chain(150, 1, [node('Neg', ['a'], ['b'])])).nodes).toHaveLength(
      1,
    )
  })

  test('names of callers do not add up', () => {
    const nested = chain(100, 1, [node('Neg', ['a'], ['t']), node('Neg', ['t'], ['b'])]).map(f => ({
      ...f,
      nodes: f.nodes!.map(inner => (inner.domain ? { ...inner, name: 'layer' } : inner)),
    }))
    const names = model([call('F0', ['x'], ['z'])], nested).nodes.flatMap(({ outputs }) => outputs)
    expect(Math.max(...names.map(name => name.length))).toBeLessThan(300)
  })
})
