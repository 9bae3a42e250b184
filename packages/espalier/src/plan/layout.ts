/** A number for the table of steps, so that kernels built from another one are told apart: same number, same words. */
import { steps } from './steps/index.ts'

/** FNV-1a over kinds, names and kinds of fields, in order; 31 bits. */
export const layoutHash: number = hash(
  JSON.stringify(Object.entries(steps).map(([kind, { fields }]) => [kind, ...Object.entries(fields)])),
)

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value & 0x7fffffff
}
