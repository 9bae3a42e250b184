/** The least and the greatest value of integer types. */
import { type DType, dtypeInfo } from '../../tensor/dtype.ts'

/** Least and greatest value of an integer type; 0 and 1 for bool. */
export function integerRange(dtype: DType): { readonly least: bigint; readonly greatest: bigint } {
  const { kind, bits } = dtypeInfo(dtype)
  if (kind === 'bool') return { least: 0n, greatest: 1n }
  const values = 2n ** BigInt(bits)
  return kind === 'int'
    ? { least: -values / 2n, greatest: values / 2n - 1n }
    : { least: 0n, greatest: values - 1n }
}
