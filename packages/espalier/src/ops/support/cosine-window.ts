/** Windows that are sums of cosines (Harris 1978): w[i] = a0 - a1 cos(2 pi i / n) + a2 cos(4 pi i / n). */
import { EspalierError } from '../../errors.ts'
import type { Dim } from '../../graph/graph.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { allocate } from '../../tensor/tensor.ts'
import type { Op } from '../op.ts'
import { int, numeric } from '../schema.ts'
import { typed } from './infer.ts'
import { outputSize } from './movement.ts'
import { readDtype } from './precision.ts'
import { single } from './scalars.ts'

export function cosineWindow(
  header: Pick<Op, 'name' | 'doc'>,
  [a0, a1, a2]: readonly [number, number, number],
): Op {
  return {
    ...header,
    versions: {
      17: {
        inputs: ['size: T1'],
        outputs: ['output: T2'],
        types: { T1: ['int32', 'int64'], T2: numeric },
        attributes: { output_datatype: int(1), periodic: int(1) },
      },
    },
    infer(c) {
      const size = checkSize(c.content(0)?.[0] ?? null)
      return [typed(readDtype(c.attributes, 'output_datatype', numeric), [size])]
    },
    evaluate(c) {
      const size = checkSize(single(c.tensor(0), 'the size'))
      const dtype = readDtype(c.attributes, 'output_datatype', numeric) ?? 'float32'
      // A symmetric window ends on the value it begins with; one of a single element is 1.
      const period = c.attributes.int('periodic') !== 0 ? size : size - 1
      const values = allocate('float64', outputSize('float64', [size]))
      for (let i = 0; i < size; i++) {
        const angle = (2 * Math.PI * i) / period
        // Waves first: in this order the ends of a Blackman window are 0 and its peak is 1 without an error.
        values[i] = period === 0 ? 1 : a2 * Math.cos(2 * angle) - a1 * Math.cos(angle) + a0
      }
      return [fromNumbers(dtype, [size], values)]
    },
  }
}

function checkSize<D extends Dim>(size: D): D {
  if (typeof size !== 'number' || size >= 0) return size
  throw new EspalierError('bad-argument', 'not the size of a window', {
    expected: '0 or more',
    got: `${size}`,
  })
}
