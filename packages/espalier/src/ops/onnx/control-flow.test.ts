import { describe, expect, test } from 'vitest'
import { type GraphBuilder, graphBuilder, type Handle } from '../../graph/builder.ts'
import { type Attribute, type Graph, tensorType, type ValueType } from '../../graph/graph.ts'
import { runReference } from '../../runtime/reference.ts'
import { numbers } from '../../tensor/elements.ts'
import { float32, int64, isTensor, type RuntimeValue, type Tensor, tensor } from '../../tensor/tensor.ts'
import { evaluateOp, inferOp } from '../support/testing.ts'
import { If } from './if.ts'
import { Loop } from './loop.ts'
import { Scan } from './scan.ts'
import { SequenceMap } from './sequence-map.ts'

const bool = (value: boolean): Tensor<'bool'> => tensor('bool', [], Uint8Array.of(value ? 1 : 0))
const outer = (name: string): Handle => ({ name })

/** A graph from what `build` does; it returns the outputs. */
function graph(build: (g: GraphBuilder) => readonly Handle[], opset = 21): Graph {
  const g = graphBuilder({ opset })
  for (const output of build(g)) g.output(output)
  return g.build()
}

/** Runs a graph whose outputs are tensors or sequences, and gives them as shape and numbers. */
function run(model: Graph, feeds: Record<string, RuntimeValue> = {}): unknown[] {
  const values = runReference(model, feeds)
  return model.outputs.map(({ name }) => plain(values.get(name)!))
}

function plain(value: RuntimeValue): unknown {
  if (isTensor(value)) return { shape: [...value.shape], values: Array.from(numbers(value)) }
  return value === null ? null : value.map(plain)
}

const flat = (...values: number[]): unknown => ({ shape: [values.length], values })
const scalar = (value: number): unknown => ({ shape: [], values: [value] })

describe('If', () => {
  const branches = (g: GraphBuilder, condition: Handle): Handle =>
    g.node('If', [condition], {
      then_branch: graph(b => [b.node('Add', [outer('x'), b.constant(float32([1]))])]),
      else_branch: graph(() => [outer('x')]),
    })

  test('runs the branch that the condition chooses, which sees the values around it', () => {
    const model = graph(g => {
      const condition = g.input('c', 'bool', [])
      g.input('x', 'float32', [1])
      return [branches(g, condition)]
    })
    expect(run(model, { c: bool(true), x: float32([2]) })).toEqual([flat(3)])
    expect(run(model, { c: bool(false), x: float32([2]) })).toEqual([flat(2)])
  })

  test('refuses a condition of several elements', () => {
    const model = graph(g => {
      const condition = g.input('c', 'bool', [2])
      g.input('x', 'float32', [1])
      return [branches(g, condition)]
    })
    expect(() => run(model, { c: tensor('bool', [2], Uint8Array.of(1, 0)), x: float32([2]) })).toThrow(
      expect.objectContaining({ code: 'bad-shape' }),
    )
  })

  test('infers what both branches have in common, and one branch for a known condition', () => {
    const body = (name: string): Attribute => ({ type: 'graph', value: { ...graph(() => []), name } })
    const attributes = { then_branch: body('yes'), else_branch: body('no') }
    const types: Record<string, ValueType> = {
      yes: tensorType('float32', ['n', 2, 3]),
      no: tensorType('float32', ['n', 5, 3]),
    }
    const inferGraph = (g: Graph): ValueType[] => [types[g.name]!]
    expect(inferOp(If, [tensorType('bool', [])], attributes, { inferGraph })).toEqual([
      tensorType('float32', ['n', null, 3]),
    ])
    expect(inferOp(If, [bool(false)], attributes, { inferGraph })).toEqual([types.no])
  })
})

describe('Loop', () => {
  /** Doubles what is carried, collects it before doubling, and goes on while it is below `below`. */
  const doubling = (below = Number.POSITIVE_INFINITY): Graph =>
    graph(g => {
      g.input('i', 'int64', [])
      g.input('going', 'bool', [])
      const x = g.input('x', 'float32', [])
      const twice = g.node('Add', [x, x])
      const going = g.node('Less', [twice, g.constant(tensor('float32', [], Float32Array.of(below)))])
      return [going, twice, x]
    })
  const loop = (body: Graph, trips?: number, condition?: boolean): Graph =>
    graph(g => {
      const trip = trips === undefined ? undefined : g.constant(int64(trips))
      const going = condition === undefined ? undefined : g.constant(bool(condition))
      const initial = g.constant(tensor('float32', [], Float32Array.of(1)))
      return g.nodes('Loop', [trip, going, initial], { body }, { outputs: ['last', 'all'] })
    })

  test.each([
    ['a trip count', loop(doubling(), 4), 16, [1, 2, 4, 8]],
    ['a trip count, its condition ignored', loop(doubling(3), 3), 8, [1, 2, 4]],
    ['a condition', loop(doubling(8), undefined, true), 8, [1, 2, 4]],
    ['the trip count first', loop(doubling(1000), 2, true), 4, [1, 2]],
    ['the condition first', loop(doubling(4), 1000, true), 4, [1, 2]],
  ])('ends by %s', (_, model, last, all) => {
    expect(run(model)).toEqual([scalar(last), flat(...all)])
  })

  test('without an iteration, gives what it was given and nothing collected', () => {
    const body = doubling()
    const typed = {
      ...body,
      outputs: body.outputs.map(o => ({ ...o, type: tensorType('float32', ['n', 2]) })),
    }
    const nothing = { shape: [0, 0, 2], values: [] }
    expect(run(loop(typed, 0, true))).toEqual([scalar(1), nothing])
    expect(run(loop(typed, -3))).toEqual([scalar(1), nothing])
    expect(run(loop(typed, 5, false))).toEqual([scalar(1), nothing])
    expect(() => run(loop(body, 0))).toThrow(expect.objectContaining({ code: 'invalid-graph' }))
  })

  test('counts iterations, in the rank that the body asks for, and sees values around it', () => {
    const model = graph(g => {
      g.constant(int64([10]), 'step')
      const body = graph(b => {
        const i = b.input('i', 'int64', [1])
        b.input('going', 'bool', [1])
        return [outer('going'), b.node('Mul', [i, outer('step')])]
      })
      return [g.node('Loop', [g.constant(int64(3)), undefined], { body })]
    })
    expect(run(model)).toEqual([{ shape: [3, 1], values: [0, 10, 20] }])
  })

  test('the body sees its last condition, even where it does not count', () => {
    const model = graph(g => {
      const body = graph(b => {
        b.input('i', 'int64', [])
        const going = b.input('going', 'bool', [])
        return [b.node('Not', [going]), going]
      })
      return [g.node('Loop', [g.constant(int64(3)), undefined], { body })]
    })
    expect(run(model)).toEqual([flat(1, 0, 1)])
  })

  test('carries sequences, and tensors whose shape changes', () => {
    const model = graph(g => {
      const body = graph(b => {
        const i = b.input('i', 'int64', [])
        b.input('going', 'bool', [])
        const sequence = b.inputOf('s', { kind: 'sequence' })
        const x = b.inputOf('x', tensorType('int64'))
        const next = b.node('ConcatFromSequence', [b.node('SequenceConstruct', [x, x])], { axis: 0 })
        return [outer('going'), b.node('SequenceInsert', [sequence, i]), next]
      })
      return g.nodes(
        'Loop',
        [g.constant(int64(3)), undefined, g.node('SequenceEmpty', [], { dtype: 7 }), g.constant(int64([7]))],
        { body },
        { outputs: ['sequence', 'grown'] },
      )
    })
    expect(run(model)).toEqual([[scalar(0), scalar(1), scalar(2)], flat(7, 7, 7, 7, 7, 7, 7, 7)])
  })

  test('refuses a collected shape that changes, and a body that does not fit', () => {
    const growing = graph(g => {
      g.input('i', 'int64', [])
      g.input('going', 'bool', [])
      const x = g.inputOf('x', tensorType('float32'))
      const pair = g.node('SequenceConstruct', [x, x])
      const next = g.node('ConcatFromSequence', [pair], { axis: 0, new_axis: 1 })
      return [outer('going'), next, x]
    })
    expect(() => run(loop(growing, 2))).toThrow(expect.objectContaining({ code: 'bad-shape' }))
    const misfit = graph(g => [g.input('i', 'int64', [])])
    expect(() => run(loop(misfit, 2))).toThrow(expect.objectContaining({ code: 'invalid-graph' }))
  })

  test('can be bounded', () => {
    const body: Attribute = { type: 'graph', value: doubling() }
    const evaluate = (trips: Tensor | undefined, maxIterations: number): readonly RuntimeValue[] =>
      evaluateOp(
        Loop,
        [trips, undefined, float32([1])],
        { body },
        {
          outputs: 2,
          maxIterations,
          runGraph: (_, [__, going, x]) => [going!, x!, x!],
        },
      )
    expect(() => evaluate(undefined, 100)).toThrow(expect.objectContaining({ code: 'too-large' }))
    expect(() => evaluate(int64(101), 100)).toThrow(expect.objectContaining({ code: 'too-large' }))
    expect(plain(evaluate(int64(100), 100)[1]!)).toMatchObject({ shape: [100, 1] })
  })

  describe('inference', () => {
    const body: Attribute = { type: 'graph', value: doubling() }
    const infer = (
      trips: Tensor | undefined,
      condition: Tensor | undefined,
      initial: ValueType,
      iterate: (type: ValueType | undefined) => ValueType | undefined,
      collected: ValueType = tensorType('float32', ['n', 2]),
    ): readonly (ValueType | undefined)[] =>
      inferOp(
        Loop,
        [trips, condition, initial],
        { body },
        {
          outputs: 2,
          inferGraph: (_, types) => [tensorType('bool', []), iterate(types[2]), collected],
        },
      )

    test('keeps what every iteration keeps', () => {
      const type = tensorType('float32', ['n', 3])
      expect(infer(undefined, bool(true), type, same => same)).toEqual([
        type,
        tensorType('float32', [null, 'n', 2]),
      ])
    })

    test('loses extents, ranks and data types that change', () => {
      const first = tensorType('float32', [1, 3])
      expect(infer(int64(4), undefined, first, () => tensorType('float32', [2, 3]))).toEqual([
        tensorType('float32', [null, 3]),
        tensorType('float32', [4, 'n', 2]),
      ])
      const deeper = (type: ValueType | undefined): ValueType =>
        tensorType('float32', type?.kind === 'tensor' && type.shape ? [1, ...type.shape] : undefined)
      expect(infer(int64(4), undefined, first, deeper)[0]).toEqual(tensorType('float32'))
      expect(infer(int64(4), undefined, first, () => tensorType('int64', [1, 3]))[0]).toBeUndefined()
    })

    test('the number of iterations is only known without a condition', () => {
      const type = tensorType('float32', [])
      expect(infer(int64(4), bool(true), type, same => same)[1]).toEqual(
        tensorType('float32', [null, 'n', 2]),
      )
      expect(infer(int64(-4), undefined, type, same => same)[1]).toEqual(tensorType('float32', [0, 'n', 2]))
    })
  })
})

describe('Scan', () => {
  const running = (rank: number): Graph =>
    graph(g => {
      const shape = rank === 0 ? [] : [2]
      const sum = g.input('sum', 'float32', shape)
      const x = g.input('x', 'float32', shape)
      const next = g.node('Add', [sum, x])
      return [next, g.node('Mul', [next, next])]
    })
  const scan = (
    body: Graph,
    inputs: readonly Tensor[],
    attributes: Record<string, readonly number[]> = {},
    opset = 21,
  ): Graph =>
    graph(
      g =>
        g.nodes(
          'Scan',
          [...(opset === 8 ? [undefined] : []), ...inputs.map(input => g.constant(input))],
          { body, num_scan_inputs: inputs.length - 1, ...attributes },
          { outputs: ['last', 'all'] },
        ),
      opset,
    )
  const zero = float32([0, 0])
  const rows = float32([1, 2, 3, 4, 5, 6], [3, 2])

  test('runs along axis 0, forwards', () => {
    expect(run(scan(running(1), [zero, rows]))).toEqual([
      flat(9, 12),
      { shape: [3, 2], values: [1, 4, 16, 36, 81, 144] },
    ])
  })

  test('scalars', () => {
    const first = tensor('float32', [], Float32Array.of(1))
    expect(run(scan(running(0), [first, float32([1, 2, 3])]))).toEqual([scalar(7), flat(4, 16, 49)])
  })

  test('backwards in, backwards out, along other axes', () => {
    const columns = float32([1, 3, 5, 2, 4, 6], [2, 3])
    const reverse = { scan_input_directions: [1] }
    expect(run(scan(running(1), [zero, columns], { scan_input_axes: [-1], ...reverse }))).toEqual([
      flat(9, 12),
      { shape: [3, 2], values: [25, 36, 64, 100, 81, 144] },
    ])
    expect(
      run(scan(running(1), [zero, rows], { scan_output_axes: [-1], scan_output_directions: [1] })),
    ).toEqual([flat(9, 12), { shape: [2, 3], values: [81, 16, 1, 144, 36, 4] }])
  })

  test('several inputs, without state or with', () => {
    const body = graph(g => {
      const a = g.input('a', 'float32', [])
      const b = g.input('b', 'float32', [])
      return [g.node('Mul', [a, b])]
    })
    const model = graph(g => [
      g.node('Scan', [g.constant(float32([1, 2, 3])), g.constant(float32([4, 5, 6]))], {
        body,
        num_scan_inputs: 2,
        scan_input_directions: [0, 1],
      }),
    ])
    expect(run(model)).toEqual([flat(6, 10, 12)])
  })

  test('nothing to scan', () => {
    const body = running(1)
    const typed = { ...body, outputs: body.outputs.map(o => ({ ...o, type: tensorType('float32', [2]) })) }
    expect(run(scan(typed, [zero, float32([], [0, 2])]))).toEqual([flat(0, 0), { shape: [0, 2], values: [] }])
  })

  test('in batches, with lengths (version 8)', () => {
    const initial = float32([0, 0, 100, 100], [2, 2])
    const batch = float32([1, 2, 3, 4, 5, 6, 1, 1, 2, 2, 3, 3], [2, 3, 2])
    const call = { opset: 8, outputs: 2 }
    const body: Attribute = { type: 'graph', value: running(1) }
    const model = scan(running(1), [initial, batch], {}, 8)
    expect(run(model)[0]).toEqual({ shape: [2, 2], values: [9, 12, 106, 106] })
    const withLengths = graph(
      g =>
        g.nodes(
          'Scan',
          [g.constant(int64([2, 3])), g.constant(initial), g.constant(batch)],
          { body: running(1), num_scan_inputs: 1, directions: [1] },
          { outputs: ['last', 'all'] },
        ),
      8,
    )
    expect(run(withLengths)).toEqual([
      { shape: [2, 2], values: [4, 6, 106, 106] },
      {
        shape: [2, 3, 2],
        values: [9, 16, 16, 36, 0, 0, 103 ** 2, 103 ** 2, 105 ** 2, 105 ** 2, 106 ** 2, 106 ** 2],
      },
    ])
    const wrong = [int64([4, 3]), initial, batch]
    expect(() => evaluateOp(Scan, wrong, { body, num_scan_inputs: 1 }, call)).toThrow(
      expect.objectContaining({ code: 'bad-argument' }),
    )
  })

  test('refuses inputs of several lengths and lists of a wrong length', () => {
    const body = graph(g => [g.input('a', 'float32'), g.input('b', 'float32')])
    const attributes = { body, num_scan_inputs: 2 }
    const model = (more: Record<string, readonly number[]>, second: Tensor): Graph =>
      graph(g => [
        ...g.nodes(
          'Scan',
          [g.constant(float32([1, 2])), g.constant(second)],
          { ...attributes, ...more },
          {
            outputs: ['x', 'y'],
          },
        ),
      ])
    expect(() => run(model({}, float32([1])))).toThrow(expect.objectContaining({ code: 'bad-shape' }))
    expect(() => run(model({ scan_input_axes: [0] }, float32([1, 2])))).toThrow(
      expect.objectContaining({ code: 'bad-argument' }),
    )
  })

  test('inference', () => {
    const body: Attribute = { type: 'graph', value: running(1) }
    const seen: unknown[] = []
    const infer = (types: readonly (ValueType | undefined)[], attributes: object, opset: number): unknown =>
      inferOp(
        Scan,
        types,
        { body, num_scan_inputs: 1, ...attributes },
        {
          opset,
          outputs: 2,
          inferGraph: (_, inputs) => {
            seen.push(inputs)
            return [inputs[0], tensorType('int32', [7])]
          },
        },
      )
    const state = tensorType('float32', ['b', 2])
    const input = tensorType('float32', ['b', 't', 2])
    expect(infer([state, input], { scan_input_axes: [1], scan_output_axes: [-1] }, 21)).toEqual([
      state,
      tensorType('int32', [7, 't']),
    ])
    expect(seen.at(-1)).toEqual([state, tensorType('float32', ['b', 2])])
    expect(infer([undefined, state, input], {}, 8)).toEqual([state, tensorType('int32', ['b', 't', 7])])
    expect(seen.at(-1)).toEqual([tensorType('float32', [2]), tensorType('float32', [2])])
  })
})

describe('SequenceMap', () => {
  const body = graph(g => {
    const a = g.input('a', 'float32')
    const b = g.input('b', 'float32')
    return [g.node('Add', [a, b]), a]
  })
  const mapped = (second: (g: GraphBuilder) => Handle): Graph =>
    graph(g => {
      const first = g.node('SequenceConstruct', [g.constant(float32([1])), g.constant(float32([2, 3]))])
      return g.nodes('SequenceMap', [first, second(g)], { body }, { outputs: ['sum', 'same'] })
    })

  test('takes sequences apart and repeats tensors', () => {
    const ten = (g: GraphBuilder): Handle => g.constant(float32([10]))
    expect(run(mapped(ten))).toEqual([
      [flat(11), flat(12, 13)],
      [flat(1), flat(2, 3)],
    ])
    const pair = (g: GraphBuilder): Handle => g.node('SequenceConstruct', [ten(g), g.constant(float32([20]))])
    expect(run(mapped(pair))[0]).toEqual([flat(11), flat(22, 23)])
  })

  test('refuses sequences of several lengths; an empty one gives empty ones', () => {
    const single = (g: GraphBuilder): Handle => g.node('SequenceConstruct', [g.constant(float32([1]))])
    expect(() => run(mapped(single))).toThrow(expect.objectContaining({ code: 'bad-argument' }))
    const empty = graph(g =>
      g.nodes(
        'SequenceMap',
        [g.node('SequenceEmpty', []), g.constant(float32([1]))],
        { body },
        {
          outputs: ['sum', 'same'],
        },
      ),
    )
    expect(run(empty)).toEqual([[], []])
  })

  test('inference', () => {
    const type = tensorType('float32', [2])
    const types = inferOp(
      SequenceMap,
      [{ kind: 'sequence', element: type }, tensorType('int64', [])],
      { body: { type: 'graph', value: body } },
      { outputs: 2, inferGraph: (_, inputs) => inputs },
    )
    expect(types).toEqual([
      { kind: 'sequence', element: type },
      { kind: 'sequence', element: tensorType('int64', []) },
    ])
  })
})
