import { expect, test, vi } from 'vitest'
import { fromNumbers } from '../tensor/elements.ts'
import { float32, int64, type Tensor, tensor } from '../tensor/tensor.ts'
import { dtypeStatistics, tensorStatistics } from './tensors.ts'

test('figures of tensors, in order and by data type', () => {
  const onProgress = vi.fn()
  const found = tensorStatistics(
    new Map<string, Tensor>([
      ['w', float32([0, 1, 0, 2], [2, 2])],
      ['packed', fromNumbers('int4', [3], [0, 1, 2]) as Tensor],
      ['text', tensor('string', [2], ['ä', ''])],
      ['b', float32([0])],
      ['shape', int64([])],
    ]),
    onProgress,
  )
  expect(found).toEqual([
    { name: 'w', dtype: 'float32', shape: [2, 2], elements: 4, bytes: 16, zeros: 2 },
    { name: 'packed', dtype: 'int4', shape: [3], elements: 3, bytes: 2, zeros: 1 },
    { name: 'text', dtype: 'string', shape: [2], elements: 2, bytes: 2, zeros: 0 },
    { name: 'b', dtype: 'float32', shape: [1], elements: 1, bytes: 4, zeros: 1 },
    { name: 'shape', dtype: 'int64', shape: [0], elements: 0, bytes: 0, zeros: 0 },
  ])
  expect(onProgress.mock.calls.at(-1)).toEqual([5, 5])
  expect(dtypeStatistics(found)).toEqual([
    { dtype: 'float32', tensors: 2, elements: 5, bytes: 20 },
    { dtype: 'int4', tensors: 1, elements: 3, bytes: 2 },
    { dtype: 'string', tensors: 1, elements: 2, bytes: 2 },
    { dtype: 'int64', tensors: 1, elements: 0, bytes: 0 },
  ])
})
