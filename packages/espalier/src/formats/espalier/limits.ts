/**
 * What a file may ask for: a tensor is at most 1024 times as large as its bytes in the file, 64 KiB beside, so that a
 * small file cannot make a reader allocate a large tensor. Writers keep to it with a longer code where nearly nothing is
 * stored. Elements with positions are counted in 32 bits.
 */
import { byteLength, type DType } from '../../tensor/dtype.ts'

export const MOST_EXPANSION = 1024
export const FREE_BYTES = 65536
/** Most elements of a tensor with a pattern; larger ones are stored whole. */
export const MOST_ELEMENTS: number = 2 ** 32 - 1

export function isWithinLimits(dtype: DType, elements: number, storedBytes: number): boolean {
  return elements <= MOST_ELEMENTS && byteLength(dtype, elements) <= FREE_BYTES + MOST_EXPANSION * storedBytes
}
