/**
 * Gated Swish (arXiv 2002.05202): one input is the gate of the other. The two have one shape; nothing is
 * broadcast.
 */
import { EspalierError } from '../../errors.ts'
import { differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { formatShape } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import type { Op } from '../op.ts'
import { float, floats } from '../schema.ts'
import { sigmoid } from '../support/activations.ts'
import { commonDType, inferBroadcast, zipNumbers } from '../support/elementwise.ts'
import { apply, constant, inputValue, lowerTo, type Value } from '../support/lower-elementwise.ts'

export const SwiGLU: Op = {
  name: 'SwiGLU',
  doc: 'a * sigmoid(alpha * a) * b, element by element.',
  lower: lowerTo(gated),
  versions: {
    28: {
      inputs: ['A: T', 'B: T'],
      outputs: ['Y: T'],
      types: { T: floats },
      attributes: { alpha: float(1) },
    },
  },
  infer(c) {
    const [a, b] = [c.shape(0), c.shape(1)]
    if (a !== undefined && b !== undefined) requireSameShape(a, b)
    return inferBroadcast(c)
  },
  evaluate(c) {
    const [a, b] = [c.tensor(0), c.tensor(1)]
    commonDType([a.dtype, b.dtype])
    requireSameShape(a.shape, b.shape)
    const alpha = c.attributes.float('alpha')
    return [zipNumbers(a, b, (gate, value) => gate * sigmoid(alpha * gate) * value)]
  },
}

function requireSameShape(a: readonly Dim[], b: readonly Dim[]): void {
  if (a.length === b.length && !a.some((dim, axis) => differentDims(dim, b[axis]!))) return
  throw new EspalierError('bad-shape', 'gate and value differ in shape', {
    expected: formatShape(a),
    got: formatShape(b),
  })
}

function gated(c: LowerContext): Value {
  const [gate, value] = [inputValue(c, 0), inputValue(c, 1)]
  const alpha = constant(gate.dtype, c.attributes.float('alpha'))
  return apply('mul', apply('silu', gate, alpha), value)
}
