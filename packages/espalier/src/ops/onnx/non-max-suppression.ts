/**
 * Greedy non-maximum suppression: boxes are taken in order of score, and one that overlaps a box already
 * taken by more than the threshold is dropped. The overlap is rounded to float32, the type of the threshold,
 * before they are compared, so that "exactly at the threshold" means what a float32 program sees.
 */
import { EspalierError } from '../../errors.ts'
import { tensorType } from '../../graph/graph.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { EvaluateContext, Op } from '../op.ts'
import { int, type Schema } from '../schema.ts'
import { single } from '../support/scalars.ts'

const schema: Schema = {
  inputs: [
    'boxes: float32',
    'scores: float32',
    'max_output_boxes_per_class?: int64',
    'iou_threshold?: float32',
    'score_threshold?: float32',
  ],
  outputs: ['selected_indices: int64'],
  attributes: { center_point_box: int(0) },
}

export const NonMaxSuppression: Op = {
  name: 'NonMaxSuppression',
  doc: 'Selects boxes by score, dropping those that overlap a better one of the same class.',
  versions: { 10: schema, 11: schema },
  infer: () => [tensorType('int64', [null, 3])],
  evaluate(c) {
    const [boxes, scores] = [c.tensor(0), c.tensor(1)]
    const [batch, count] = boxes.shape
    const classes = scores.shape[1]!
    if (
      boxes.shape.length !== 3 ||
      boxes.shape[2] !== 4 ||
      formatShape(scores.shape) !== `${batch}x${classes}x${count}`
    )
      throw new EspalierError('bad-shape', 'boxes and scores do not fit', {
        expected: 'boxes [batch, n, 4] and scores [batch, classes, n]',
        got: `${formatShape(boxes.shape)} and ${formatShape(scores.shape)}`,
      })
    const most = readSetting(c, 2, 'max_output_boxes_per_class', 0)
    const threshold = readSetting(c, 3, 'iou_threshold', 0)
    const leastScore = readSetting(c, 4, 'score_threshold', Number.NEGATIVE_INFINITY)
    const corners = cornersOf(numbers(boxes), c.attributes.int('center_point_box'))
    const allScores = numbers(scores)
    const rows: number[] = []
    for (let n = 0; n < batch!; n++)
      for (let k = 0; k < classes; k++) {
        const at = (n * classes + k) * count!
        const own = allScores.subarray(at, at + count!)
        const order = Array.from(own.keys())
          .filter(box => !c.hasInput(4) || own[box]! > leastScore)
          .sort((a, b) => own[b]! - own[a]! || a - b)
        const taken: number[] = []
        for (const box of order) {
          if (taken.length >= most) break
          const at = n * count! + box
          if (taken.some(other => Math.fround(overlap(corners, at, n * count! + other)) > threshold)) continue
          taken.push(box)
          rows.push(n, k, box)
        }
      }
    return [fromNumbers('int64', [rows.length / 3, 3], rows)]
  },
}

function readSetting(c: EvaluateContext, index: number, name: string, fallback: number): number {
  const given = c.optionalTensor(index)
  return given === undefined ? fallback : single(given, name)
}

/**
 * Boxes as [least, least, greatest, greatest]: the two axes in either order, which overlap does not depend
 * on.
 */
function cornersOf(boxes: Float64Array, format: number): Float64Array {
  if (format !== 0 && format !== 1)
    throw new EspalierError('bad-argument', 'not a box format', {
      where: { field: 'center_point_box' },
      expected: '0 (corners) or 1 (centre and size)',
      got: `${format}`,
    })
  const corners = new Float64Array(boxes.length)
  for (let i = 0; i < boxes.length; i += 4) {
    const [a, b, c, d] = boxes.subarray(i, i + 4) as unknown as [number, number, number, number]
    const box =
      format === 0
        ? [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]
        : [a - c / 2, b - d / 2, a + c / 2, b + d / 2]
    corners.set(box, i)
  }
  return corners
}

/** Intersection over union of boxes `a` and `b`; 0 where they do not meet or have no area. */
function overlap(corners: Float64Array, a: number, b: number): number {
  const [p, q] = [a * 4, b * 4]
  const shared = (axis: number): number =>
    Math.max(
      0,
      Math.min(corners[p + axis + 2]!, corners[q + axis + 2]!) -
        Math.max(corners[p + axis]!, corners[q + axis]!),
    )
  const area = (box: number): number =>
    (corners[box + 2]! - corners[box]!) * (corners[box + 3]! - corners[box + 1]!)
  const intersection = shared(0) * shared(1)
  const [areaA, areaB] = [area(p), area(q)]
  if (intersection <= 0 || areaA <= 0 || areaB <= 0) return 0
  return intersection / (areaA + areaB - intersection)
}
