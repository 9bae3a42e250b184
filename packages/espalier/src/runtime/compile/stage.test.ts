import { expect, test } from 'vitest'
import type { Graph } from '../../graph/graph.ts'
import { tensorType } from '../../graph/graph.ts'
import { graphOf, outer } from '../../graph/graphs.suite.ts'
import { operators } from '../../ops/index.ts'
import { numbers } from '../../tensor/elements.ts'
import { float32, int64, type RuntimeValue, tensor } from '../../tensor/tensor.ts'
import { canFix, findStage, typeOfValue } from './stage.ts'

/** The stage at a node of a graph, with these values at hand. */
function stageAt(
  graph: Graph,
  from: number,
  values: Record<string, RuntimeValue>,
  fixed: readonly string[] = [],
) {
  const types = new Map(Object.entries(values).map(([name, value]) => [name, typeOfValue(value)]))
  const known = new Map(fixed.map(name => [name, values[name] as never]))
  const stage = findStage({ graph, from, types, fixed: known }, operators)
  const { nodes, inputs, outputs, end } = stage
  return { stage, nodes: nodes.map(({ op }) => op), inputs, outputs, end }
}

test('reaches to where shapes depend on data; what is needed later goes out', () => {
  const graph = graphOf(g => {
    const [x, late] = [g.input('x', 'float32', ['n']), g.input('late', 'float32', ['n'])]
    const a = g.node('Relu', [x], {}, { outputs: ['a'] })
    const b = g.node('Neg', [a], {}, { outputs: ['b'] })
    g.node('Abs', [a]) // for nobody
    const places = g.node('NonZero', [b], {}, { outputs: ['places'] })
    const picked = g.node('Gather', [a, places], {}, { outputs: ['picked'] })
    return [g.node('Concat', [picked, late], { axis: 1 }, { outputs: ['y'] }), b]
  })
  const values = { x: float32([1, 2, 3]), late: float32([1, 2], [1, 2]) }
  expect(stageAt(graph, 0, values)).toMatchObject({
    nodes: ['Relu', 'Neg'],
    inputs: ['x'],
    outputs: ['a', 'b'],
    end: 3,
  })
  expect(stageAt(graph, 3, { ...values, a: values.x, b: values.x })).toMatchObject({ nodes: [], end: 3 })
  const rest = { late: values.late, a: values.x, b: values.x, places: int64([0]) }
  const placed = { ...rest, places: tensor('int64', [1, 1], BigInt64Array.of(0n)) }
  expect(stageAt(graph, 4, placed)).toMatchObject({
    nodes: ['Gather', 'Concat'],
    inputs: ['late', 'a', 'places'],
    outputs: ['y'],
    end: 6,
  })
})

test('what follows from shapes is constant, and not computed', () => {
  const graph = graphOf(g => {
    const x = g.input('x', 'float32', ['n', 4])
    const rows = g.node('Gather', [g.node('Shape', [x]), g.constant(int64([0]))], {}, { outputs: ['rows'] })
    const flat = g.node('Reshape', [x, g.node('Concat', [rows, g.constant(int64([2, 2]))], { axis: 0 })])
    return [g.node('Relu', [flat], {}, { outputs: ['y'] }), rows]
  })
  const found = stageAt(graph, 0, { x: float32(new Array(12).fill(0), [3, 4]) })
  expect(found).toMatchObject({ nodes: ['Reshape', 'Relu'], inputs: ['x'], outputs: ['rows', 'y'] })
  expect([...numbers(found.stage.constants.get('rows')!)]).toEqual([3])
  expect(found.stage.types.get('y')).toEqual({ dtype: 'float32', shape: [3, 2, 2] })
})

test('an input whose value is fixed is a constant; otherwise it ends the stage', () => {
  const graph = graphOf(g =>
    g.node('Reshape', [g.input('x', 'float32', [6]), g.input('shape', 'int64', [2])], {}, { outputs: ['y'] }),
  )
  const values = { x: float32([1, 2, 3, 4, 5, 6]), shape: int64([3, -1]) }
  expect(stageAt(graph, 0, values)).toMatchObject({ nodes: [], end: 0 })
  const found = stageAt(graph, 0, values, ['shape'])
  expect(found).toMatchObject({ nodes: ['Reshape'], inputs: ['x'], end: 1 })
  expect(found.stage.types.get('y')?.shape).toEqual([3, 2])
})

test('a constant that is fed is an input', () => {
  const base = graphOf(g => g.node('Neg', [g.constant(float32([1, 2]), 'w')], {}, { outputs: ['y'] }))
  const graph = { ...base, inputs: [{ name: 'w', type: tensorType('float32', ['n']) }] }
  expect(stageAt(graph, 0, {})).toMatchObject({ inputs: [] })
  const fed = stageAt(graph, 0, { w: float32([1, 2, 3]) })
  expect([fed.inputs, fed.stage.constants.has('w'), fed.stage.types.get('y')?.shape]).toEqual([
    ['w'],
    false,
    [3],
  ])
})

test('values that bodies read are kept; sequences, texts and packed integers end a stage', () => {
  const body = graphOf(b => b.node('Neg', [outer('a')]))
  const graph = graphOf(g => {
    g.node('Relu', [g.input('x', 'float32', [2])], {}, { outputs: ['a'] })
    g.node('SequenceConstruct', [outer('a')], {}, { outputs: ['s'] })
    return g.node(
      'If',
      [g.input('c', 'bool', [])],
      { then_branch: body, else_branch: body },
      { outputs: ['y'] },
    )
  })
  const c = tensor('bool', [], Uint8Array.of(1))
  expect(stageAt(graph, 0, { x: float32([1, 2]), c })).toMatchObject({
    nodes: ['Relu'],
    outputs: ['a'],
    end: 1,
  })
  const a = float32([1, 2])
  expect(stageAt(graph, 2, { a, c, s: [a] })).toMatchObject({ nodes: ['If'], inputs: ['a', 'c'], end: 3 })
  const same = graphOf(g => g.node('Identity', [g.input('x', 'float32', ['n'])], {}, { outputs: ['y'] }))
  for (const x of [tensor('string', [1], ['a']), tensor('int4', [2], Uint8Array.of(1)), [a], null])
    expect(stageAt(same, 0, { x })).toMatchObject({ nodes: [], end: 0 })
})

test('only short lists of integers are fixed', () => {
  const long = int64(new Array(65).fill(0))
  const int32 = tensor('int32', [2], Int32Array.of(1, 2))
  const matrix = tensor('int64', [1, 1], BigInt64Array.of(1n))
  const values: RuntimeValue[] = [
    int64(1),
    int64([]),
    int64([1, 2]),
    int32,
    long,
    matrix,
    float32([1]),
    null,
    [],
  ]
  expect(values.map(canFix)).toEqual([true, true, true, true, false, false, false, false, false])
})
