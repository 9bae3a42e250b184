/** x / c as x * (1/c) where that is exact: c a power of two, whose inverse float32 holds. */
import { fromNumbers, numbers } from '../../../tensor/elements.ts'
import type { NodeRule } from '../rule.ts'

/** Exponents between which a power of two and its inverse are both normal numbers of float32. */
const LARGEST_EXPONENT = 126

export const divide: NodeRule = {
  name: 'divide',
  at: ['Div'],
  apply(node, c) {
    const divisor = c.constant(node.inputs[1])
    if (divisor?.dtype !== 'float32' || !c.isFloat32(node.inputs[0])) return undefined
    const values = numbers(divisor)
    if (!values.every(isPowerOfTwo)) return undefined
    const draft = c.draft()
    const inverse = fromNumbers(
      'float32',
      divisor.shape,
      values.map(value => 1 / value),
    )
    const factor = draft.constant(inverse, `${node.inputs[1]}_inverse`)
    draft.node('Mul', [node.inputs[0], factor], {}, { output: node.outputs[0]!, name: node.name })
    return draft.done()
  },
}

function isPowerOfTwo(value: number): boolean {
  const exponent = Math.log2(Math.abs(value))
  return (
    Number.isInteger(exponent) && Math.abs(exponent) <= LARGEST_EXPONENT && 2 ** exponent === Math.abs(value)
  )
}
