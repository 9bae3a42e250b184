/**
 * What Magika does around its model (standard_v3_3), from its published description: the bytes that are looked at,
 * and the cases that need no model.
 */
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'

export interface MagikaConfig {
  readonly beg_size: number
  readonly end_size: number
  readonly min_file_size_for_dl: number
  readonly padding_token: number
  readonly block_size: number
  readonly target_labels_space: readonly string[]
  readonly overwrite_map: Readonly<Record<string, string>>
}

/** Spaces, tabs, line feeds, carriage returns, vertical tabs and form feeds. */
const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)

/**
 * The input of the model: int32 [1, beg_size + end_size]. The first block without leading spaces, padded behind, then
 * the last block without trailing spaces, padded in front.
 */
export function magikaFeatures(content: Uint8Array, config: MagikaConfig): Tensor<'int32'> {
  const { beg_size, end_size, padding_token, block_size } = config
  const features = new Int32Array(beg_size + end_size).fill(padding_token)
  const head = content.subarray(0, block_size)
  const first = head.findIndex(byte => !isSpace(byte))
  const start = first < 0 ? head.subarray(head.length) : head.subarray(first)
  features.set(start.subarray(0, beg_size))
  const tail = content.subarray(Math.max(content.length - block_size, 0))
  const end = tail.subarray(0, tail.findLastIndex(byte => !isSpace(byte)) + 1).slice(-end_size)
  features.set(end, features.length - end.length)
  return tensor('int32', [1, features.length], features)
}

/** Whether the model is asked at all: not for contents that are mostly spaces, or nothing. */
export function needsModel(content: Uint8Array, features: Tensor<'int32'>, config: MagikaConfig): boolean {
  const { min_file_size_for_dl: least, padding_token } = config
  return content.length >= least && features.data[least - 1] !== padding_token
}

/** What the tool says without asking the model. */
export function labelWithoutModel(content: Uint8Array): string {
  if (content.length === 0) return 'empty'
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(content)
    return 'txt'
  } catch {
    return 'unknown'
  }
}
