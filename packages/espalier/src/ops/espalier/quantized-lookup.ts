/** Any function from 8 bits to 8 bits: an activation between a dequantisation and a quantisation, a change of scale. */
import { EspalierError } from '../../errors.ts'
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Op } from '../op.ts'
import { espalierDomain } from '../support/channels-last.ts'
import { typed } from '../support/infer.ts'

export const Lookup: Op = {
  name: 'Lookup',
  domain: espalierDomain,
  doc: 'y = table[x]; the table has 256 entries, for the bytes 0 to 255 of x (of int8: 0 to 127, then -128 to -1).',
  versions: {
    1: {
      inputs: ['x: T1', 'table: T2'],
      outputs: ['y: T2'],
      types: { T1: ['int8', 'uint8'], T2: ['int8', 'uint8'] },
    },
  },
  infer: c => [typed(c.dtype(1), c.shape(0))],
  evaluate(c) {
    const [x, table] = [c.tensor(0), c.tensor(1)]
    if (sizeOf(table.shape) !== 256)
      throw new EspalierError('bad-shape', 'the table does not have an entry for every byte', {
        expected: '256 entries',
        got: formatShape(table.shape),
      })
    const entries = numbers(table)
    return [
      fromNumbers(
        table.dtype,
        x.shape,
        numbers(x).map(value => entries[value & 255]!),
      ),
    ]
  },
  lower(c) {
    if (sizeOf(c.type(1).shape) !== 256) return 'the table does not have 256 entries'
    c.emit('lookup_i8', { x: c.input(0), table: c.input(1), y: c.output(0), count: sizeOf(c.type(0).shape) })
    return undefined
  },
}
