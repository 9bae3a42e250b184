/** What writers check about the contents they are given, before the first byte is written. */
import { EspalierError } from '../errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { FileContents, NamedTensors } from './format.ts'

/** The tensors in `contents`. Throws `bad-argument` for a graph. */
export function tensorsIn(contents: FileContents, format: string): NamedTensors {
  if (contents.kind === 'tensors') return contents
  throw new EspalierError('bad-argument', `${format} holds tensors and no graph`, {
    hint: 'Write the model as ONNX, or pass its initializers as tensors',
  })
}

/** The one tensor in `contents`, for formats without names. Throws `bad-argument` when there are none or several. */
export function onlyTensorIn(contents: FileContents, format: string): Tensor {
  const { tensors } = tensorsIn(contents, format)
  const [first] = tensors.values()
  if (first !== undefined && tensors.size === 1) return first
  throw new EspalierError('bad-argument', `a ${format} file holds exactly one tensor`, {
    got: tensors.size === 0 ? 'none' : `${tensors.size}: ${[...tensors.keys()].slice(0, 8).join(', ')}`,
    hint: 'Write several tensors as npz or safetensors',
  })
}

/** `contents` that hold one tensor, under the name that formats without names use. */
export function oneTensor(tensor: Tensor): FileContents {
  return { kind: 'tensors', tensors: new Map([['data', tensor]]) }
}
