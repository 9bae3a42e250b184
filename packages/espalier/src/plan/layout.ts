/** A number for the table of steps, so that kernels built from another one are told apart: same number, same words. */
import { hashText } from '../tensor/hash.ts'
import { steps } from './steps/index.ts'

/** Of kinds, names and kinds of fields, in order; 31 bits. */
export const layoutHash: number =
  0x7fffffff &
  hashText(
    JSON.stringify(Object.entries(steps).map(([kind, { fields }]) => [kind, ...Object.entries(fields)])),
  )
