/** Contents of which only the number of elements is known, so that the known ones beside them are not lost. */
import type { Dim } from '../../graph/graph.ts'
import type { InferContext } from '../op.ts'
import { contentOf } from './contents.ts'

/** Most elements of a tensor whose contents are followed: shapes are short, data is not. */
export const mostContents = 1024

/** Contents of an input; unknown elements where only its length is known; `undefined` where not even that is. */
export function contentOrUnknown(c: InferContext, index: number): readonly Dim[] | undefined {
  const content = contentOf(c, index)
  if (content !== undefined) return content
  const shape = c.shape(index)
  const length = shape?.length === 0 ? 1 : shape?.length === 1 ? shape[0] : undefined
  return typeof length === 'number' && length <= mostContents ? new Array<Dim>(length).fill(null) : undefined
}
