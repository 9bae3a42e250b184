/** Shifts of unsigned integers. A shift by the width of the type or more leaves zero. */
import { EspalierError } from '../../errors.ts'
import { isBigInt } from '../../tensor/dtype.ts'
import type { Op } from '../op.ts'
import { required, unsigned } from '../schema.ts'
import { commonDType, inferBroadcast, zipBigInts, zipNumbers } from '../support/elementwise.ts'
import { apply, inputValue, lowerTo } from '../support/lower-elementwise.ts'

export const BitShift: Op = {
  name: 'BitShift',
  doc: 'Bits of the first input moved left or right by the second, with broadcasting.',
  lower: lowerTo(c =>
    apply(c.attributes.string('direction') === 'LEFT' ? 'shl' : 'shr', inputValue(c, 0), inputValue(c, 1)),
  ),
  versions: {
    11: {
      inputs: ['X: T', 'Y: T'],
      outputs: ['Z: T'],
      types: { T: unsigned },
      attributes: { direction: required('string', ['LEFT', 'RIGHT']) },
    },
  },
  infer: inferBroadcast,
  evaluate(c) {
    const [x, y] = [c.tensor(0), c.tensor(1)]
    const dtype = commonDType([x.dtype, y.dtype])!
    if (!unsigned.includes(dtype))
      throw new EspalierError('bad-dtype', 'only unsigned integers are shifted', {
        expected: unsigned.join(', '),
        got: dtype,
      })
    const left = c.attributes.string('direction') === 'LEFT'
    if (isBigInt(dtype))
      return [zipBigInts(x, y, (value, by) => (by >= 64n ? 0n : left ? value << by : value >> by))]
    // Powers of two keep a 32-bit value exact in float64, whatever the shift; the store wraps.
    return [
      zipNumbers(x, y, (value, by) => {
        if (by >= 32) return 0
        return left ? value * 2 ** by : Math.floor(value / 2 ** by)
      }),
    ]
  },
}
