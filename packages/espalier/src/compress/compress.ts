/**
 * A model made smaller in one call: weights pruned to a pattern, then quantised; and what that comes to in bytes. The
 * library side of `espalier compress`.
 */
import { countZeros } from '../analysis/sparsity.ts'
import { weightViews } from '../analysis/weight-views.ts'
import { EspalierError } from '../errors.ts'
import { type EspalierReport, encodeEspalier } from '../formats/espalier/write.ts'
import type { Graph } from '../graph/graph.ts'
import { denseOf } from '../graph/sparse.ts'
import type { Feeds } from '../runtime/executor.ts'
import type { SessionOptions } from '../runtime/session.ts'
import { byteLength } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { type PruneOptions, type Pruning, pruneMagnitude } from './magnitude.ts'
import { quantizeDynamic } from './quantize/dynamic.ts'
import { foldNorms } from './quantize/fold-norms.ts'
import { quantizeStatic } from './quantize/static.ts'
import { type Quantization, quantizeWeights } from './quantize/weights.ts'

/**
 * How weights become integers: `int8`, with activations quantised by ranges from data where there are some and anew in
 * each run where not; `int8-static` and `int8-dynamic` say which; `int8-weights` and `int4-weights` leave the computation
 * in floats.
 */
export type QuantizedForm = 'int8' | 'int8-static' | 'int8-dynamic' | 'int8-weights' | 'int4-weights'

export const quantizedForms: readonly QuantizedForm[] = [
  'int8',
  'int8-static',
  'int8-dynamic',
  'int8-weights',
  'int4-weights',
]

export interface CompressOptions extends PruneOptions {
  readonly quantize?: QuantizedForm
  /** Inputs of runs, for static quantisation. */
  readonly data?: readonly Feeds[]
  /** How these are run. */
  readonly session?: Omit<SessionOptions, 'outputs'>
}

export interface Compression {
  readonly graph: Graph
  /** The model as it was, with norms taken into its weights where it is quantised: what the figures are compared with. */
  readonly dense: Graph
  /** What was pruned; absent where neither sparsity nor pattern was asked for. */
  readonly pruning?: Pruning
  readonly quantization?: Quantization
}

/** Columns that share a scale in 4 bits. */
const GROUP = 32

/**
 * Prunes by magnitude, quantises, or both; for the latter, batch norms become part of the weights first. Throws `bad-argument` when neither is asked for, for static quantisation without
 * data, and as {@link pruneMagnitude} and the quantisations do.
 */
export async function compress(graph: Graph, options: CompressOptions): Promise<Compression> {
  const { quantize, data = [], session = {}, smallest } = options
  const prunes = options.sparsity !== undefined || options.pattern !== undefined
  if (!prunes && quantize === undefined)
    throw new EspalierError('bad-argument', 'there is nothing to do', {
      expected: 'a sparsity, a pattern or a quantisation',
    })
  const dense = quantize === undefined ? graph : foldNorms(graph)
  const pruning = prunes ? pruneMagnitude(dense, options) : undefined
  const pruned = pruning?.graph ?? dense
  if (quantize === undefined) return { graph: pruned, dense, ...(pruning && { pruning }) }
  const small = smallest === undefined ? {} : { smallest }
  const form = quantize === 'int8' ? (data.length > 0 ? 'int8-static' : 'int8-dynamic') : quantize
  const quantization =
    form === 'int8-static'
      ? await quantizeStatic(pruned, data, { ...session, ...small })
      : form === 'int8-dynamic'
        ? quantizeDynamic(pruned, small)
        : quantizeWeights(pruned, {
            ...small,
            ...(form === 'int4-weights' ? { bits: 4, group: GROUP } : { bits: 8 }),
          })
  return { graph: quantization.graph, dense, ...(pruning && { pruning }), quantization }
}

/** A weight before and after. */
export interface CompressedLayer {
  /** Its name in the model as it was. */
  readonly name: string
  readonly shape: readonly number[]
  readonly elements: number
  /** Zeros now, before quantisation made more of them counted with those it made. */
  readonly zeros: number
  /** Share of zeros that was asked for. */
  readonly asked?: number
  readonly pattern?: string
  /** Data type now. */
  readonly dtype: string
  /** Bytes in the model as it was, every element stored. */
  readonly denseBytes: number
  /** Bytes in an espalier file. */
  readonly storedBytes: number
  /** Bytes below which no code of a random pattern of this form gets. */
  readonly boundBytes: number
  readonly codec: string
}

export interface CompressionSizes {
  readonly layers: readonly CompressedLayer[]
  /** Sums over the constants of the whole model. */
  readonly denseBytes: number
  readonly storedBytes: number
  readonly boundBytes: number
  /** Bytes of the espalier file, the graph and the header counted. */
  readonly espalierBytes: number
}

/**
 * What a compression comes to in bytes. `report` is that of the espalier file that was written; it is made, and the file is
 * not, when left out.
 */
export function compressionSizes(
  { graph, dense, pruning, quantization }: Compression,
  report: EspalierReport = encodeEspalier(graph, { views: weightViews(graph) }).report,
): CompressionSizes {
  const stored = new Map(report.tensors.map(tensor => [tensor.name, tensor]))
  const names = new Set([...(pruning?.layers ?? []), ...(quantization?.layers ?? [])].map(({ name }) => name))
  const layers = [...names].flatMap((name): CompressedLayer[] => {
    const original = dense.initializers.get(name)
    const own = quantization?.layers.find(layer => layer.name === name)?.integers ?? name
    const [now, found] = [graph.initializers.get(own), stored.get(own)]
    if (original === undefined || now === undefined) return []
    const layer = pruning?.layers.find(pruned => pruned.name === name)
    const bytes = byteLength(now.dtype, sizeOf(now.shape))
    return [
      {
        name,
        shape: original.shape,
        elements: sizeOf(original.shape),
        zeros: countZeros(denseOf(now)),
        ...(layer && { asked: layer.asked, pattern: layer.pattern }),
        dtype: now.dtype,
        denseBytes: byteLength(original.dtype, sizeOf(original.shape)),
        storedBytes: found?.storedBytes ?? bytes,
        boundBytes: found?.boundBytes ?? bytes,
        codec: found?.codec ?? 'raw',
      },
    ]
  })
  const inGraph = [...graph.initializers].filter(([name]) => !stored.has(name))
  const rest = inGraph.reduce((sum, [, { dtype, shape }]) => sum + byteLength(dtype, sizeOf(shape)), 0)
  return {
    layers,
    denseBytes: [...dense.initializers.values()].reduce(
      (sum, { dtype, shape }) => sum + byteLength(dtype, sizeOf(shape)),
      0,
    ),
    storedBytes: rest + report.tensors.reduce((sum, tensor) => sum + tensor.storedBytes, 0),
    boundBytes: rest + report.tensors.reduce((sum, tensor) => sum + tensor.boundBytes, 0),
    espalierBytes: report.fileBytes,
  }
}
