/**
 * Shape arithmetic on known contents of small tensors, for operators that take part in computing shapes.
 * Contents are integers or expressions in the extents of the run's inputs; exporters also pass them through
 * float32, where a content is known as long as it is a whole number.
 */
import type { Dim } from '../../graph/graph.ts'
import { type DType, dtypeInfo } from '../../tensor/dtype.ts'
import { numbers } from '../../tensor/elements.ts'
import type { InferContext } from '../op.ts'

type Contents = readonly (readonly Dim[] | undefined)[]

/**
 * Contents of an input as far as known: also those of bool constants (as 0 and 1), and the whole numbers of
 * float constants.
 */
export function contentOf(c: InferContext, index: number): readonly Dim[] | undefined {
  const known = c.content(index)
  if (known !== undefined) return known
  const constant = c.constant(index)
  if (constant === undefined || constant.shape.length > 1) return undefined
  if (!holdsContents(constant.dtype) && constant.dtype !== 'bool') return undefined
  return Array.from(numbers(constant), value => (Number.isSafeInteger(value) ? value + 0 : null)) // no -0
}

/**
 * Whether a data type holds extents of real tensors: not the narrow ones, where arithmetic would wrap or
 * round.
 */
export function holdsContents(dtype: DType | undefined): boolean {
  if (dtype === undefined) return false
  const { kind, bits } = dtypeInfo(dtype)
  return bits >= 32 && (kind === 'int' || kind === 'uint' || kind === 'float')
}

/** `dim` where `dtype` holds it exactly, otherwise nothing known. */
export function dimWithin(dtype: DType, dim: Dim): Dim {
  if (typeof dim !== 'number') return dim
  const { kind, bits } = dtypeInfo(dtype)
  if (!Number.isSafeInteger(dim) || (kind === 'uint' && dim < 0)) return null
  if (kind === 'float') return bits === 32 && Math.fround(dim) !== dim ? null : dim
  return dim >= 2 ** (kind === 'uint' ? bits : bits - 1) || dim < -(2 ** (bits - 1)) ? null : dim
}

/**
 * Contents of the first output from those of all inputs, element by element; single elements are repeated.
 */
export function zipContents(f: (a: Dim, b: Dim) => Dim): (c: InferContext) => Contents {
  return c => {
    const dtype = c.dtype(0)
    if (dtype === undefined || !holdsContents(dtype)) return [undefined]
    const all = broadcastContents(c.inputs.map((_, index) => contentOf(c, index)))
    if (all === undefined) return [undefined]
    const combine = (a: readonly Dim[], b: readonly Dim[]): Dim[] =>
      a.map((dim, i) => dimWithin(dtype, f(dim, b[i]!)))
    return [all.reduce(combine)]
  }
}

/** Contents of the first output from those of the first input, element by element. */
export function mapContents(f: (dim: Dim) => Dim): (c: InferContext) => Contents {
  return c => {
    const [dtype, content] = [c.dtype(0), contentOf(c, 0)]
    if (dtype === undefined || content === undefined || !holdsContents(dtype)) return [undefined]
    return [content.map(dim => dimWithin(dtype, f(dim)))]
  }
}

/**
 * Lists brought to one length, single elements repeated; `undefined` where one is unknown or they do not fit.
 */
export function broadcastContents(
  lists: readonly (readonly Dim[] | undefined)[],
): readonly (readonly Dim[])[] | undefined {
  const length = lists.find(list => list?.length !== 1)?.length ?? 1
  const result: (readonly Dim[])[] = []
  for (const list of lists) {
    if (list === undefined) return undefined
    if (list.length === length) result.push(list)
    else if (list.length === 1) result.push(new Array<Dim>(length).fill(list[0]!))
    else return undefined
  }
  return result
}

/** Contents of the first output are those of the first input. */
export function sameContents(c: InferContext): Contents {
  return [contentOf(c, 0)]
}

/** Contents of the first input under another data type: what it cannot hold exactly is not known. */
export function castContents(c: InferContext, to: DType | undefined): Contents {
  if (to === undefined || !holdsContents(to)) return [undefined]
  return [contentOf(c, 0)?.map(dim => dimWithin(to, dim))]
}
