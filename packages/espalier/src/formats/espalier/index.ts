/**
 * espalier files: a model in one safetensors file, its weights as a pattern and the values in it, each in the smallest of
 * several codes, with checksums over every bit. docs/file-format.md specifies the bytes.
 */
import { EspalierError } from '../../errors.ts'
import type { Format } from '../format.ts'
import { LENGTH_BYTES } from '../safetensors/header.ts'
import { versionIn } from './directory.ts'
import { readEspalier } from './read.ts'
import { encodeEspalier } from './write.ts'

export {
  type CompressedTensor,
  compressedOf,
  compressedTensor,
  type QuantizedElements,
  type RowPattern,
  tensorOfCompressed,
} from './compressed.ts'
export type { TensorRecord } from './directory.ts'
export { type EntropyForm, entropyBound } from './entropy.ts'
export { extentsOf, type MatrixView, naturalView } from './matrix.ts'
export { type EspalierFile, openEspalier, readEspalier } from './read.ts'
export { type StoredTensor, storeTensor } from './stored.ts'
export {
  type EspalierReport,
  encodeEspalier,
  type StoredReport,
  type WriteEspalierOptions,
  writeEspalier,
} from './write.ts'

export const espalier: Format = {
  name: 'espalier',
  title: 'compressed model (Espalier)',
  extensions: ['espalier'],
  holds: 'graph',
  detect: head => versionIn(head.subarray(LENGTH_BYTES)) !== undefined,
  read: async source => ({ kind: 'graph', graph: await readEspalier(source) }),
  encode(contents) {
    if (contents.kind === 'graph') return encodeEspalier(contents.graph).chunks
    throw new EspalierError('unsupported-format', 'an espalier file holds a graph, not named tensors')
  },
}
