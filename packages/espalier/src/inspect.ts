/** What is in a file, whatever its format: the library side of `espalier inspect`. Nothing is run and nothing timed. */
import { checkModel } from './analysis/check.ts'
import { type ModelStatistics, statistics } from './analysis/statistics.ts'
import { batchSymbols, inputSymbols } from './analysis/symbols.ts'
import {
  type DTypeStatistics,
  dtypeStatistics,
  type TensorStatistics,
  tensorStatistics,
} from './analysis/tensors.ts'
import { EspalierError, locate } from './errors.ts'
import {
  type FileContents,
  formatOf,
  HEAD_BYTES,
  type Input,
  type OnRead,
  watchSource,
  withSource,
} from './formats/index.ts'
import type { Graph } from './graph/graph.ts'
import type { Problem } from './graph/validate.ts'
import { operatorsOf } from './ops/registry.ts'

export interface InspectOptions {
  /** Values of symbolic dimensions of a model, as `batch` to 8. */
  readonly symbols?: ReadonlyMap<string, number>
  /** Called while a file is read (in bytes) and while it is examined (in nodes or tensors). */
  readonly onProgress?: (stage: 'read' | 'examine', done: number, total: number) => void
}

interface FileFacts {
  readonly file: string
  /** Size of the file in bytes, without files of external data. */
  readonly fileBytes: number
  /** Short name of the format, as `onnx`. */
  readonly format: string
}

/** A model. */
export interface ModelReport extends FileFacts, ModelStatistics {
  readonly kind: 'model'
  /** Symbolic dimensions of its inputs: what `symbols` can give values to. */
  readonly symbols: readonly string[]
  /** Those of them that are only ever the outermost extent, as a batch is. */
  readonly batchSymbols: readonly string[]
  /** Rules that the model breaks. Where there are some, shapes, MACs and layers may be missing. */
  readonly problems: readonly Problem[]
}

/** Tensors without a graph. */
export interface TensorsReport extends FileFacts {
  readonly kind: 'tensors'
  readonly tensors: readonly TensorStatistics[]
  readonly dtypes: readonly DTypeStatistics[]
  /** Text that the file carries beside its tensors. */
  readonly metadata: ReadonlyMap<string, string>
}

/** A file that was read, and what is known of it before anyone looks into it. */
export interface OpenedFile extends FileFacts {
  readonly contents: FileContents
}

/**
 * Facts about a file of any known format. A broken model is described as far as it goes, with its problems. Throws
 * `bad-argument` for symbols that the model does not have, and what the reader throws.
 */
export async function inspect(
  input: Input,
  options: InspectOptions = {},
): Promise<ModelReport | TensorsReport> {
  const { onProgress } = options
  const opened = await openForInspection(input, (done, total) => onProgress?.('read', done, total))
  return inspectContents(opened, options)
}

/** The first half of {@link inspect}: reading. */
export function openForInspection(input: Input, onRead: OnRead): Promise<OpenedFile> {
  return withSource(input, async source => {
    const format = formatOf(source.name, await source.read(0, Math.min(HEAD_BYTES, source.size)))
    const contents = await format.read(watchSource(source, onRead))
    return { file: source.name, fileBytes: source.size, format: format.name, contents }
  })
}

/** The second half of {@link inspect}: counting. */
export function inspectContents(
  { contents, ...facts }: OpenedFile,
  options: InspectOptions = {},
): ModelReport | TensorsReport {
  if (contents.kind === 'graph')
    return locate({ file: facts.file }, () => ({ ...facts, ...inspectGraph(contents.graph, options) }))
  const { onProgress } = options
  const tensors = tensorStatistics(contents.tensors, (done, total) => onProgress?.('examine', done, total))
  return {
    kind: 'tensors',
    ...facts,
    tensors,
    dtypes: dtypeStatistics(tensors),
    metadata: contents.metadata ?? new Map(),
  }
}

function inspectGraph(
  graph: Graph,
  { symbols = new Map(), onProgress }: InspectOptions,
): Omit<ModelReport, keyof FileFacts> {
  const facts = { kind: 'model', symbols: inputSymbols(graph), batchSymbols: batchSymbols(graph) } as const
  const { problems, missing } = checkModel(graph, { symbols })
  const total = graph.nodes.length
  let done = 0
  const onNode = (): void => onProgress?.('examine', Math.min(++done, total), total)
  // What is wrong is among the problems already; what can be said of the other nodes still is.
  const onError = (): void => {}
  try {
    return { ...facts, ...statistics(graph, { symbols, onNode, onError }), problems }
  } catch (error) {
    if (!(error instanceof EspalierError)) throw error
    // Without operators nothing is inferred, so that nothing can contradict itself.
    return { ...facts, ...statistics(graph, { operators: operatorsOf([]) }), missing, problems }
  }
}
