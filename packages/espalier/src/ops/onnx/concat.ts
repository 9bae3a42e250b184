/** Tensors joined along an axis. */
import { EspalierError } from '../../errors.ts'
import { addDims, differentDims } from '../../graph/dim.ts'
import type { Dim } from '../../graph/graph.ts'
import { concatInputs } from '../../plan/steps/copy.ts'
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import type { LowerContext } from '../lower.ts'
import type { InferContext, Op } from '../op.ts'
import { allTypes, allTypes13, required, type Schema, type TypeName } from '../schema.ts'
import { typed } from '../support/infer.ts'
import { contentOrUnknown } from '../support/known-lengths.ts'
import { behind, elementBytes, movable, notMovable } from '../support/lower-movement.ts'
import { concatenate } from '../support/pieces.ts'

const version = (T: readonly TypeName[]): Schema => ({
  inputs: ['inputs...: T'],
  outputs: ['concat_result: T'],
  types: { T },
  attributes: { axis: required('int') },
})

export const Concat: Op = {
  name: 'Concat',
  doc: 'The inputs one after the other along `axis`.',
  versions: { 4: version(allTypes), 11: version(allTypes), 13: version(allTypes13) },
  infer(c) {
    return [typed(c.dtype(0), joinedShape(c))]
  },
  contents(c) {
    const parts: Dim[] = []
    for (const index of c.inputs.keys()) {
      const part = contentOrUnknown(c, index)
      if (part === undefined || c.shape(index)?.length !== 1) return [undefined]
      parts.push(...part)
    }
    return [parts.some(dim => dim !== null) ? parts : undefined]
  },
  evaluate(c) {
    return [
      concatenate(
        c.inputs.map((_, index) => c.tensor(index)),
        c.attributes.int('axis'),
      ),
    ]
  },
  lower: lowerConcat,
}

/** Elements of at most 16 bytes that all `runs` are multiples of: one, or several together. */
function widestElement(runs: readonly number[], size: number): number {
  let bytes = size
  while (bytes < 16 && runs.every(run => (run * size) % (2 * bytes) === 0)) bytes *= 2
  return bytes
}

function lowerConcat(c: LowerContext): string | undefined {
  const { dtype, shape } = c.outputType(0)
  if (!movable(dtype)) return notMovable(dtype)
  const axis = normalizeAxis(c.attributes.int('axis'), shape.length)
  const rows = sizeOf(shape.slice(0, axis))
  const inputs = c.node.inputs
    .map((_, index) => ({ index, run: sizeOf(c.type(index).shape.slice(axis)) }))
    .filter(({ run }) => run > 0 && rows > 0)
  if (inputs.length === 1) {
    c.alias(0, inputs[0]!.index)
    return undefined
  }
  const own = elementBytes(dtype)
  const size = widestElement(
    inputs.map(({ run }) => run),
    own,
  )
  const runs = inputs.map(({ run }) => (run * own) / size)
  const pitch = runs.reduce((a, b) => a + b, 0)
  let done = 0
  for (let first = 0; first < inputs.length; first += concatInputs) {
    const part = runs.slice(first, first + concatInputs)
    const [x0, x1, x2, x3, x4, x5, x6, x7] = inputs
      .slice(first, first + concatInputs)
      .map(({ index }) => c.input(index))
    const y = behind(c.output(0), done * size)
    c.emit('concat', { x0: x0!, x1, x2, x3, x4, x5, x6, x7, y, size, rows, runs: part, pitch })
    done += part.reduce((a, b) => a + b, 0)
  }
  return undefined
}

function joinedShape(c: InferContext): readonly Dim[] | undefined {
  const shapes = c.inputs.map((_, index) => c.shape(index))
  const first = shapes.find(shape => shape !== undefined)
  if (first === undefined) return undefined
  const axis = normalizeAxis(c.attributes.int('axis'), first.length)
  return first.map((_, at) => {
    if (at === axis) return shapes.map(shape => shape?.[at] ?? null).reduce(addDims)
    let merged: Dim = null
    for (const shape of shapes) {
      if (shape === undefined) continue
      if (shape.length !== first.length || differentDims(merged, shape[at]!))
        throw new EspalierError('bad-shape', `shapes do not fit along axis ${axis}`, {
          expected: formatShape(first),
          got: formatShape(shape),
        })
      if (merged === null || typeof shape[at] === 'number') merged = shape[at]!
    }
    return merged
  })
}
