import { expect, test } from 'vitest'
import { type Dim, tensorType, type ValueType } from '../graph/graph.ts'
import { mapDims, mergeTypes } from './merge.ts'

const float = (...shape: Dim[]): ValueType => tensorType('float32', shape)
const sequence = (element?: ValueType): ValueType => ({ kind: 'sequence', ...(element && { element }) })

test.each<[ValueType, ValueType, ValueType | undefined]>([
  [float(1, 2), float(1, 2), float(1, 2)],
  [float(1, 2), float(1, 3), undefined],
  [float(1, 2), float(1), undefined],
  [float(1), tensorType('int8', [1]), undefined],
  [tensorType('float32'), float('n', 2), float('n', 2)],
  [float('n', 2), tensorType('float32'), float('n', 2)],
  [float('n', 'm', null, null, 4), float(3, 'k', 'k', 5, 'k'), float(3, 'm', 'k', 5, 4)],
  [float(2, 'n', null), float(null, null, null), float(2, 'n', null)],
  [sequence(float('n')), sequence(float(3)), sequence(float(3))],
  [sequence(), sequence(float(3)), sequence(float(3))],
  [sequence(float(3)), sequence(), sequence(float(3))],
  [sequence(float(3)), sequence(float(4)), undefined],
  [sequence(float(3)), float(3), undefined],
  [float(3), sequence(float(3)), undefined],
  [{ kind: 'optional', element: float(3) }, { kind: 'optional', element: sequence() }, undefined],
  [{ kind: 'optional', element: sequence() }, sequence(float(3)), sequence(float(3))],
  [{ kind: 'optional' }, float(3), float(3)],
  [{ kind: 'optional', element: float(3) }, sequence(), undefined],
  [float(3), { kind: 'optional', element: float(3) }, undefined],
  [
    { kind: 'map', key: 'int64' },
    { kind: 'map', key: 'int64' },
    { kind: 'map', key: 'int64' },
  ],
])('%#: %j inferred and %j stated', (inferred, stated, merged) => {
  expect(mergeTypes(inferred, stated)).toEqual(merged)
})

test('what a file says beside the shape stays', () => {
  const stated: ValueType = {
    kind: 'tensor',
    dtype: 'float32',
    shape: ['n'],
    denotation: 'IMAGE',
    dimDenotations: ['N'],
  }
  expect(mergeTypes(float(3), stated)).toEqual({ ...stated, shape: [3] })
  expect(mergeTypes(float(3), { ...tensorType('float32'), denotation: 'IMAGE' })).toEqual({
    ...float(3),
    denotation: 'IMAGE',
  })
})

test('extents are changed wherever they are', () => {
  const unknown = (type: ValueType): ValueType => mapDims(type, () => null)
  expect(unknown(float(1, 'n'))).toEqual(float(null, null))
  expect(unknown(sequence({ kind: 'optional', element: float(1) }))).toEqual(
    sequence({ kind: 'optional', element: float(null) }),
  )
  expect(unknown({ kind: 'sparse', dtype: 'int8', shape: [3] })).toEqual({
    kind: 'sparse',
    dtype: 'int8',
    shape: [null],
  })
  for (const type of [tensorType('int8'), sequence(), { kind: 'map', key: 'int64' }] as ValueType[])
    expect(unknown(type)).toBe(type)
})
