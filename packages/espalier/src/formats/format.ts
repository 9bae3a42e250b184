/**
 * A file format: the one interface that every reader and writer in this folder implements, so that `convert`,
 * `inspect` and `run` take any of them. A file holds either a graph or named tensors.
 */
import type { Graph } from '../graph/graph.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { ByteSource } from './io/source.ts'

/** Tensors by name, in file order, with the file's own remarks. */
export interface NamedTensors {
  readonly tensors: ReadonlyMap<string, Tensor>
  /** Text the file carries beside its tensors (safetensors `__metadata__`). */
  readonly metadata?: ReadonlyMap<string, string>
}

export type FileContents =
  | { readonly kind: 'graph'; readonly graph: Graph }
  | ({ readonly kind: 'tensors' } & NamedTensors)

export interface Format {
  /** Short name, as on the command line: `npy`. */
  readonly name: string
  /** What it is, in a few words. */
  readonly title: string
  /** File name endings, without the dot, most usual first. */
  readonly extensions: readonly string[]
  readonly holds: FileContents['kind']
  /** Whether a file keeps text beside its tensors ({@link NamedTensors.metadata}). False when left out. */
  readonly keepsMetadata?: boolean
  /** Whether `head`, the first bytes of a file (up to 64), can be this format. */
  detect(head: Uint8Array): boolean
  /** Reads a whole file. Throws `malformed`, `truncated`, `unsafe` or `unsupported-format`. */
  read(source: ByteSource): Promise<FileContents>
  /** The file's bytes in order, in pieces; tensors are passed through and not copied. Left out where writing is not offered. */
  encode?(contents: FileContents): Iterable<Uint8Array>
}
