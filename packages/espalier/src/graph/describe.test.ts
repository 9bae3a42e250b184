import { expect, test } from 'vitest'
import { describeType, describeValue } from './describe.ts'
import { describeNode, type Node, nodeName, operatorName, tensorType, type ValueType } from './graph.ts'

test.each<[ValueType, string]>([
  [tensorType('float32', ['batch', 3, null]), 'float32 batchx3x?'],
  [tensorType('float32', ['2*n+1', 'a b', '?']), 'float32 (2*n+1)x(a b)x(?)'],
  [tensorType('int64', []), 'int64 scalar'],
  [tensorType('bool'), 'bool of unknown rank'],
  [{ kind: 'sparse', dtype: 'float32', shape: [2, 3] }, 'sparse float32 2x3'],
  [{ kind: 'sequence', element: tensorType('int8', [1]) }, 'sequence of int8 1'],
  [{ kind: 'optional' }, 'optional of unknown'],
  [{ kind: 'map', key: 'int64', value: tensorType('float32') }, 'map from int64 to float32 of unknown rank'],
  [{ kind: 'map', key: 'string' }, 'map from string to unknown'],
  [{ kind: 'opaque', domain: 'ml', name: 'Thing' }, 'opaque ml.Thing'],
  [{ kind: 'opaque', domain: '', name: 'Thing' }, 'opaque Thing'],
])('%j is %s', (type, text) => {
  expect(describeType(type)).toBe(text)
  expect(describeValue({ name: 'x', type })).toBe(`"x" (${text})`)
})

test('a value without a type is its name', () => {
  expect(describeValue({ name: 'x' })).toBe('"x"')
})

test.each([
  [{}, 'c (Conv)', 'c', 'Conv'],
  [{ name: '' }, 'y (Conv)', 'y', 'Conv'],
  [{ name: '', outputs: [''] }, 'Conv', '', 'Conv'],
  [{ domain: 'ai.onnx' }, 'c (Conv)', 'c', 'Conv'],
  [{ domain: 'my' }, 'c (my.Conv)', 'c', 'my.Conv'],
])('node %j', (given, described, name, operator) => {
  const node: Node = {
    ...{ name: 'c', op: 'Conv', domain: '', inputs: [], outputs: ['', 'y'], attributes: new Map() },
    ...given,
  }
  expect([describeNode(node), nodeName(node), operatorName(node)]).toEqual([described, name, operator])
})
