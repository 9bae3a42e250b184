/** Greedy suppression of boxes by hand. */
import { expect, test } from 'vitest'
import { tensorType } from '../../graph/graph.ts'
import { float32, int64, type Tensor } from '../../tensor/tensor.ts'
import { evaluateNumbers, evaluateOp, inferOp } from '../support/testing.ts'
import { NonMaxSuppression } from './index.ts'

/** Boxes [top, left, bottom, right]: two that share half of their union's two thirds, and one apart. */
const boxes = float32([0, 0, 2, 1, 1, 0, 3, 1, 9, 9, 10, 10], [1, 3, 4])
const scores = float32([0.5, 0.9, 0.5], [1, 1, 3])
const third = Math.fround(1 / 3)
const select = (most: number, overlap?: number, least?: number, given: Tensor = boxes): number[] =>
  evaluateNumbers(NonMaxSuppression, [
    given,
    scores,
    int64(most),
    overlap === undefined ? undefined : float32([overlap]),
    least === undefined ? undefined : float32([least]),
  ])

test('best first, equals in order, overlaps dropped only above the threshold', () => {
  expect(select(9, 0.5)).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 2])
  expect(select(9, third)).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 2])
  expect(select(9, 0.33)).toEqual([0, 0, 1, 0, 0, 2])
  expect(select(9)).toEqual([0, 0, 1, 0, 0, 2])
  expect(select(2, 0.5)).toEqual([0, 0, 1, 0, 0, 0])
  expect(select(9, 0.5, 0.5)).toEqual([0, 0, 1])
})

test('corners in any order, or centre and size', () => {
  expect(select(9, 0.33, undefined, float32([2, 1, 0, 0, 1, 1, 3, 0, 10, 9, 9, 10], [1, 3, 4]))).toEqual([
    0, 0, 1, 0, 0, 2,
  ])
  const centres = float32([0.5, 1, 1, 2, 0.5, 2, 1, 2, 9, 9, 1, 1], [1, 3, 4])
  const inputs = [centres, scores, int64([9]), float32([0.33])]
  expect(evaluateNumbers(NonMaxSuppression, inputs, { center_point_box: 1 })).toEqual([0, 0, 1, 0, 0, 2])
  expect(() => evaluateOp(NonMaxSuppression, inputs, { center_point_box: 2 })).toThrow(
    expect.objectContaining({ code: 'bad-argument' }),
  )
})

test('no limit means no boxes; classes and samples are apart; shapes', () => {
  expect((evaluateOp(NonMaxSuppression, [boxes, scores])[0] as Tensor).shape).toEqual([0, 3])
  const two = [float32([0, 0, 1, 1, 0, 0, 1, 1], [2, 1, 4]), float32([1, 2, 3, 4], [2, 2, 1]), int64(1)]
  expect(evaluateNumbers(NonMaxSuppression, two)).toEqual([0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0])
  expect(inferOp(NonMaxSuppression, [boxes, scores])).toEqual([tensorType('int64', [null, 3])])
  expect(() => evaluateOp(NonMaxSuppression, [boxes, float32([1, 2], [1, 1, 2])])).toThrow(
    expect.objectContaining({ code: 'bad-shape' }),
  )
})
