/** Strings joined, element by element. */
import { strings } from '../../tensor/elements.ts'
import { broadcastShapes, broadcastStrides, forEachIndex, sizeOf } from '../../tensor/shape.ts'
import { tensor } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { broadcastAll } from '../support/infer.ts'

export const StringConcat: Op = {
  name: 'StringConcat',
  doc: 'Joins the strings of two tensors, with broadcasting.',
  versions: { 20: { inputs: ['X: T', 'Y: T'], outputs: ['Z: T'], types: { T: ['string'] } } },
  infer: c => broadcastAll(c, 'string'),
  evaluate(c) {
    const [a, b] = [c.tensor(0), c.tensor(1)]
    const [x, y] = [strings(a), strings(b)]
    const shape = broadcastShapes(a.shape, b.shape)
    const joined = new Array<string>(sizeOf(shape))
    forEachIndex(shape, [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)], (i, [p, q]) => {
      joined[i] = x[p!]! + y[q!]!
    })
    return [tensor('string', shape, joined)]
  },
}
