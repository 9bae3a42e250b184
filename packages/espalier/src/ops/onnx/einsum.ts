/** Einstein summation over any number of operands. */
import { isFloat } from '../../tensor/dtype.ts'
import { bigints, fromBigInts, fromNumbers, numbers } from '../../tensor/elements.ts'
import type { InferContext, Op } from '../op.ts'
import { numeric16, required } from '../schema.ts'
import { contract, type Equation, einsumMacs, extentsOf, parseEquation } from '../support/einsum.ts'
import { typed } from '../support/infer.ts'

export const Einsum: Op = {
  name: 'Einsum',
  doc: 'Products of operands summed over indices, as an equation such as `bij,bjk->bik` says.',
  versions: {
    12: {
      inputs: ['Inputs...: T'],
      outputs: ['Output: T'],
      types: { T: numeric16 },
      attributes: { equation: required('string') },
    },
  },
  infer(c) {
    const known = readEquation(c)
    const extents = known && extentsOf(known.equation, known.shapes)
    return [typed(c.dtype(0), extents && known.equation.output.map(label => extents.get(label)!))]
  },
  macs(c) {
    const known = readEquation(c)
    return known === undefined ? null : einsumMacs(known.equation, extentsOf(known.equation, known.shapes))
  },
  weights(c) {
    const { operands, output } = readEquation(c)?.equation ?? { operands: [], output: [] }
    if (operands.length < 2) return []
    const uses = operands.map((labels, input) => {
      const axes = labels.map((_, axis) => axis)
      return {
        input,
        rows: axes.filter(axis => output.includes(labels[axis]!)),
        columns: axes.filter(axis => !output.includes(labels[axis]!)),
      }
    })
    return uses.filter(({ columns }) => columns.length > 0)
  },
  evaluate(c) {
    const operands = c.inputs.map((_, index) => c.tensor(index))
    const equation = parseEquation(
      c.attributes.string('equation'),
      operands.map(({ shape }) => shape.length),
    )
    const dtype = operands[0]!.dtype
    const result = contract(equation, operands, !isFloat(dtype))
    return [
      isFloat(dtype)
        ? fromNumbers(dtype, result.shape, numbers(result))
        : fromBigInts(dtype, result.shape, bigints(result)),
    ]
  },
}

/** The equation and the shapes it is about; `undefined` while a rank is unknown. */
function readEquation(
  c: InferContext,
):
  | { readonly equation: Equation; readonly shapes: NonNullable<ReturnType<InferContext['shape']>>[] }
  | undefined {
  const shapes = c.inputs.map((_, index) => c.shape(index))
  if (!shapes.every(shape => shape !== undefined)) return undefined
  const equation = parseEquation(
    c.attributes.string('equation'),
    shapes.map(({ length }) => length),
  )
  return { equation, shapes }
}
