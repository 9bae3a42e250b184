/** Any elements. */
import type { Pattern } from './pattern.ts'

export const unstructured: Pattern = {
  name: 'unstructured',
  units: scores => scores,
  mask: (_, __, kept) => kept,
}
