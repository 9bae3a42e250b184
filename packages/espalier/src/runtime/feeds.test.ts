import { describe, expect, test } from 'vitest'
import { graphBuilder } from '../graph/builder.ts'
import { type Dim, type Graph, tensorType, type ValueType } from '../graph/graph.ts'
import { float32, int64, type RuntimeValue, tensor } from '../tensor/tensor.ts'
import { checkFeeds, requiredInputs } from './feeds.ts'

const float = (...shape: Dim[]): ValueType => tensorType('float32', shape)
const zeros = (...shape: number[]): RuntimeValue =>
  float32(new Array(shape.reduce((a, b) => a * b, 1)).fill(0), shape)

function graphOf(inputs: Readonly<Record<string, ValueType | undefined>>): Graph {
  return {
    ...graphBuilder().build(),
    inputs: Object.entries(inputs).map(([name, type]) => ({ name, ...(type && { type }) })),
  }
}

const check = (inputs: Record<string, ValueType | undefined>, feeds: Record<string, unknown>): unknown =>
  checkFeeds(graphOf(inputs), feeds as Record<string, RuntimeValue>)
const refusal = (code: string, message: string): unknown => expect.objectContaining({ code, message })

test('feeds may be a map or an object, and come out as a map', () => {
  const graph = graphOf({ x: float(1), y: undefined })
  const feeds = { x: zeros(1), y: int64([3]) }
  expect(checkFeeds(graph, feeds)).toEqual(new Map(Object.entries(feeds)))
  const map = new Map(Object.entries(feeds))
  const values = checkFeeds(graph, map)
  expect(values).toEqual(map)
  expect(values).not.toBe(map)
})

describe('names', () => {
  const inputs = { x: float('n', 3), y: tensorType('int64', []), 'z w': undefined }
  test('of inputs that are not fed are all said', () => {
    expect(() => check(inputs, { y: int64(1) })).toThrow(
      refusal('missing-input', 'no value for "x" (float32 nx3), "z w"'),
    )
    expect(() => check(inputs, { x: undefined, y: int64(1), 'z w': zeros(1) })).toThrow(
      refusal('missing-input', 'no value for "x" (float32 nx3)'),
    )
  })
  test('that the graph does not know are all said', () => {
    expect(() => check(inputs, { a: zeros(1), b: zeros(1), x: zeros(1, 3) })).toThrow(
      refusal('unknown-input', 'the graph has no input "a", "b"; expected "x", "y", "z w"'),
    )
    expect(() => check({}, { a: zeros(1) })).toThrow(
      refusal('unknown-input', 'the graph has no input "a"; expected no input'),
    )
  })
})

describe('defaults', () => {
  const graph: Graph = {
    ...graphOf({ x: float(2), w: float(2) }),
    initializers: new Map([
      ['w', float32([1, 2])],
      ['c', float32([1])],
    ]),
  }
  test('may be left out or overridden', () => {
    expect(requiredInputs(graph).map(({ name }) => name)).toEqual(['x'])
    expect(checkFeeds(graph, { x: float32([0, 0]) }).has('w')).toBe(false)
    expect(checkFeeds(graph, { x: float32([0, 0]), w: float32([3, 4]) }).get('w')).toEqual(float32([3, 4]))
    expect(() => checkFeeds(graph, { x: float32([0, 0]), w: float32([3]) })).toThrow(
      'tensor "w": the input has another shape',
    )
  })
  test('other constants may not', () => {
    expect(() => checkFeeds(graph, { x: float32([0, 0]), c: float32([1]) })).toThrow(
      'the graph has no input "c"',
    )
    const old = { ...graph, origin: { irVersion: 3 } }
    expect(() => checkFeeds(old, { x: float32([0, 0]), w: float32([3, 4]) })).toThrow(
      refusal('unknown-input', 'the graph has no input "w"; expected "x"'),
    )
  })
})

describe('types', () => {
  const sequence = (element?: ValueType): ValueType => ({ kind: 'sequence', ...(element && { element }) })
  const optional = (element?: ValueType): ValueType => ({ kind: 'optional', ...(element && { element }) })

  test.each<[ValueType | undefined, unknown]>([
    [undefined, [null, zeros(1)]],
    [tensorType('float32'), zeros(1, 2, 3)],
    [float(), zeros()],
    [float(2, 'n', null), zeros(2, 5, 7)],
    [sequence(), [zeros(1), int64(1)]],
    [sequence(float('n')), [zeros(1), zeros(2)]],
    [sequence(float(2)), []],
    [sequence(sequence(float(2))), [[zeros(2)], []]],
    [optional(float(2)), null],
    [optional(float(2)), zeros(2)],
    [optional(sequence(float(2))), [zeros(2)]],
    [optional(), zeros(2)],
  ])('%j takes %#', (type, value) => {
    expect(check({ x: type }, { x: value })).toEqual(new Map([['x', value]]))
  })
  test.each<[ValueType | undefined, unknown, string, string]>([
    [
      float(2),
      int64([1, 2]),
      'bad-dtype',
      'tensor "x": the input has another data type; expected float32, got int64',
    ],
    [float(2), zeros(3), 'bad-shape', 'tensor "x": the input has another shape; expected 2, got 3'],
    [float(2, null), zeros(2), 'bad-shape', 'tensor "x": the input has another shape; expected 2x?, got 2'],
    [
      float('n', 3),
      zeros(2, 4),
      'bad-shape',
      'tensor "x": the input has another shape; expected nx3, got 2x4',
    ],
    [float(2), [zeros(2)], 'bad-dtype', 'tensor "x": the input is a tensor; got a sequence of 1'],
    [float(2), null, 'bad-dtype', 'tensor "x": the input is a tensor; got an empty optional'],
    [sequence(float(2)), zeros(2), 'bad-dtype', 'tensor "x": the input is a sequence; got float32 2'],
    [sequence(float(2)), null, 'bad-dtype', 'tensor "x": the input is a sequence; got an empty optional'],
    [
      sequence(float(2)),
      [zeros(2), int64([1])],
      'bad-dtype',
      'tensor "x[1]": the input has another data type; expected float32, got int64',
    ],
    [optional(float(2)), zeros(3), 'bad-shape', 'tensor "x": the input has another shape; expected 2, got 3'],
    [
      { kind: 'map', key: 'int64' },
      zeros(1),
      'unsupported',
      'tensor "x": inputs of this type cannot be fed; got map from int64 to unknown',
    ],
    [
      undefined,
      Float32Array.of(1),
      'bad-dtype',
      'tensor "x": the value of the input is no tensor; got a Float32Array. tensor(dtype, shape, data) makes one',
    ],
    [
      float(1),
      5,
      'bad-dtype',
      'tensor "x": the value of the input is no tensor; got a number. tensor(dtype, shape, data) makes one',
    ],
    [
      float(1),
      { dtype: 'float31', shape: [1] },
      'bad-dtype',
      expect.stringContaining('is no tensor; got a Object'),
    ],
    [
      float(3),
      { dtype: 'float32', shape: [3], data: new Float32Array(2) },
      'bad-shape',
      'tensor "x": data does not fill a float32 tensor of shape 3; expected 3 array elements, got 2',
    ],
    [
      undefined,
      [[{ dtype: 'float32', shape: [3], data: new Float64Array(3) }]],
      'bad-dtype',
      'tensor "x[0][0]": the data does not store float32; expected Float32Array, got Float64Array',
    ],
    [float(-1), { dtype: 'float32', shape: [-1], data: new Float32Array(1) }, 'bad-shape', expect.anything()],
    [sequence(), [zeros(1), 'text'], 'bad-dtype', expect.stringContaining('tensor "x[1]": the value')],
  ])('%j refuses %#', (type, value, code, message) => {
    expect(() => check({ x: type }, { x: value })).toThrow(refusal(code, message))
  })
})

describe('symbols', () => {
  const inputs = { x: float('n', 'm'), y: float('n', 2) }
  test('have one value throughout', () => {
    check(inputs, { x: zeros(3, 5), y: zeros(3, 2) })
    expect(() => check(inputs, { x: zeros(3, 5), y: zeros(4, 2) })).toThrow(
      refusal(
        'bad-shape',
        'tensor "y": the input has another shape; expected nx2, got 4x2. "n" is 3 in input "x" and must be the same here',
      ),
    )
    expect(() => check({ x: float('n', 'n') }, { x: zeros(2, 3) })).toThrow('"n" is 2 in input "x"')
  })
  test('give expressions their values, wherever they stand', () => {
    const related = { y: float('2*n+1'), x: float('n') }
    check(related, { x: zeros(3), y: zeros(7) })
    expect(() => check(related, { x: zeros(3), y: zeros(6) })).toThrow(
      refusal(
        'bad-shape',
        'tensor "y": the input has another shape; expected (2*n+1), got 6. Where "n" is 3, "2*n+1" is 7',
      ),
    )
    const two = { x: float('n'), y: float('m'), z: float('n*m') }
    expect(() => check(two, { x: zeros(2), y: zeros(3), z: zeros(5) })).toThrow(
      'Where "m" is 3 and "n" is 2, "m*n" is 6',
    )
  })
  test('that are not known leave equal expressions equal', () => {
    const halves = { x: float('floordiv(n,2)'), y: float(' floordiv( n , 2 )') }
    check(halves, { x: zeros(3), y: zeros(3) })
    expect(() => check(halves, { x: zeros(3), y: zeros(4) })).toThrow('"floordiv(n,2)" is 3 in input "x"')
  })
  test('that stand for nothing in particular may differ', () => {
    check({ x: float('?', '?', 'None', null), y: float('?') }, { x: zeros(1, 2, 3, 4), y: zeros(5) })
  })
  test('of any name', () => {
    const odd = { x: float('batch size', 'a"b'), y: float('2*"batch size"') }
    check(odd, { x: zeros(2, 1), y: zeros(4) })
    expect(() => check(odd, { x: zeros(2, 1), y: zeros(5) })).toThrow('Where "batch size" is 2')
  })
})

test('strings are tensors like others', () => {
  check({ x: tensorType('string', ['n']) }, { x: tensor('string', [1], ['a']) })
})
