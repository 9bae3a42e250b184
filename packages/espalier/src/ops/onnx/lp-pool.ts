/** Lp norm over sliding windows. Padding adds nothing to a norm. */
import { fromNumbers, numbers } from '../../tensor/elements.ts'
import type { Op } from '../op.ts'
import { type AttributeSchema, floats, floats16, int, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import {
  poolAttributes,
  poolShape,
  readPool,
  readPower,
  sumWindows,
  withDilations,
} from '../support/pooling.ts'

const version = (T: readonly TypeName[], attributes: Readonly<Record<string, AttributeSchema>>): Schema => ({
  inputs: ['X: T'],
  outputs: ['Y: T'],
  types: { T },
  attributes: { ...attributes, p: int(2) },
})

export const LpPool: Op = {
  name: 'LpPool',
  doc: 'The Lp norm over sliding windows.',
  versions: {
    2: version(floats16, poolAttributes),
    11: version(floats16, poolAttributes),
    18: version(floats16, withDilations),
    22: version(floats, withDilations),
  },
  infer: c => [typed(c.dtype(0), poolShape(c))],
  evaluate(c) {
    const x = c.tensor(0)
    const p = readPower(c.attributes)
    const pool = readPool(c.attributes, x.shape)
    const powers = numbers(x).map(value => Math.abs(value) ** p)
    return [
      fromNumbers(
        x.dtype,
        pool.outputShape,
        sumWindows(pool, powers).map(sum => sum ** (1 / p)),
      ),
    ]
  },
}
