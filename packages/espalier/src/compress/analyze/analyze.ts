/**
 * Where the time of a model goes, layer by layer, and how long its layers would take if their weights had other zeros or
 * were integers. Nothing is predicted: every layer is built by itself, with the shapes that it has in the model and a
 * synthetic weight, and is timed on this machine. Layers of the same shape with about as many zeros are timed once.
 *
 * A layer by itself finds its weights in the caches, as one of a large model does not: the sum over layers can be less than
 * their time in the model. Accuracy is not looked at.
 */
import { countZeros, sparsityOf } from '../../analysis/sparsity.ts'
import { EspalierError } from '../../errors.ts'
import { encodeEspalier } from '../../formats/espalier/write.ts'
import { type Graph, tensorType } from '../../graph/graph.ts'
import type { Feeds } from '../../runtime/executor.ts'
import { type Session, session } from '../../runtime/session.ts'
import { byteLength } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { isTensor, type RuntimeValue, type Tensor, tensorBytes } from '../../tensor/tensor.ts'
import type { SkippedWeight } from '../magnitude.ts'
import { quantizeWeight } from '../quantize/weights.ts'
import { type BreakEven, findBreakEven } from './break-even.ts'
import type { Imposition } from './imposition.ts'
import { asFloat32, findLayers, type Layer, type LayerForm, layerKey, weightSize } from './layers.ts'
import { possibleForm, soloGraph } from './solo.ts'
import { type SyntheticOptions, syntheticScores, syntheticWeight } from './synthetic.ts'
import {
  type Candidate,
  type EngineChoice,
  engineOf,
  type LayerTime,
  leastRun,
  timeTogether,
} from './timing.ts'

export interface AnalyzeOptions extends EngineChoice, SyntheticOptions {
  /** What is imposed on every layer; see `readImposition`. None when left out. */
  readonly impose?: readonly Imposition[]
  /** Also looks for the sparsity from which on sparse kernels are quicker, for every shape. */
  readonly breakEven?: boolean
  /** Fewest elements of a weight that zeros are imposed on; 1024 when left out. */
  readonly smallest?: number
  /** Milliseconds that each layer is timed for, in each of its variants; 60 when left out. */
  readonly budget?: number
  /** Called with the shapes of layers done and of all. */
  readonly onProgress?: (done: number, total: number) => void
}

/** A layer under an imposition. */
export interface ImposedLayer extends LayerTime {
  readonly form: LayerForm
  /** Share of zeros, counted. */
  readonly sparsity: number
  /** Bytes of the weight in an espalier file. */
  readonly bytes: number
}

export interface AnalyzedLayer {
  readonly node: string
  readonly op: string
  readonly weight: string
  readonly shape: readonly number[]
  readonly macs?: number
  /** What it is computed on now. */
  readonly form: LayerForm
  /** Share of zeros of the weight now, and the bytes that it is stored in. */
  readonly sparsity: number
  readonly bytes: number
  readonly now: LayerTime
  /** In the order of the impositions; `null` where the weight is smaller than asked for. */
  readonly imposed: readonly (ImposedLayer | null)[]
}

/** What an imposition comes to, weights that it leaves alone counted as they are. */
export interface ImposedTotal {
  readonly name: string
  /** Sum over the layers. */
  readonly layers: { readonly milliseconds: number; readonly bytes: number }
  /**
   * Of the whole model, an estimate: what it takes now, with the layers' times exchanged; in proportion, where they take
   * longer by themselves than the whole does.
   */
  readonly milliseconds: number
}

export interface Analysis {
  readonly backend: Session['backend']
  readonly isa: Session['isa']
  readonly threads: number
  /** One run of the whole model now, the least of some. */
  readonly milliseconds: number
  readonly layers: readonly AnalyzedLayer[]
  /** Sum over the layers now. */
  readonly now: { readonly milliseconds: number; readonly bytes: number }
  readonly imposed: readonly ImposedTotal[]
  readonly breakEven?: readonly BreakEven[]
  /** Weights whose layers were not timed, and why. */
  readonly skipped: readonly SkippedWeight[]
}

/** Milliseconds that the whole model is timed for, before and after its layers. */
const WHOLE_BUDGET = 500

/** Weights with fewer zeros are taken as dense: layers of the same shape are then timed once. */
const FEW_ZEROS = 0.2

/**
 * Times a model and its layers for inputs such as `feeds`, of which the shapes count. Throws `bad-argument` where no layer
 * has constant weights, `unsupported` on the reference, and what `session` and a run throw.
 */
export async function analyze(graph: Graph, feeds: Feeds, options: AnalyzeOptions = {}): Promise<Analysis> {
  const { impose = [], budget = 60, smallest = 1024, onProgress } = options
  const engine = engineOf(options)
  const { layers, skipped } = findLayers(graph, typesOf(feeds))
  if (layers.length === 0)
    throw new EspalierError('bad-argument', 'the model has no layer to time', {
      hint: skipped[0] ? `Of "${skipped[0].name}", ${skipped[0].reason}` : 'None has constant weights',
    })
  using opened = await session(graph, engine)
  const { backend, isa, threads } = opened
  if (backend === 'reference')
    throw new EspalierError('unsupported', 'layers are not timed on the reference', {
      hint: 'espalier doctor says why there are no kernels',
    })
  // Before the layers and after them, since what else the machine does comes and goes.
  const timeWhole = (): number => leastRun(() => opened.runSync(feeds), WHOLE_BUDGET)
  const before = timeWhole()
  const groups = groupLayers(layers)
  const found = new Map<Layer, AnalyzedLayer>()
  const tables: BreakEven[] = []
  let done = 0
  for (const group of groups) {
    const first = group.layers[0]!
    const measured = await timeGroup(group, impose, { options, engine, budget, smallest })
    for (const layer of group.layers) found.set(layer, describe(layer, group, measured))
    if (options.breakEven === true && weightSize(first) >= smallest)
      tables.push(...(await findBreakEven(group.layers, impose, { ...options, ...engine, budget })))
    onProgress?.(++done, groups.length)
  }
  const analyzed = layers.map(layer => found.get(layer)!)
  const now = {
    milliseconds: sum(analyzed, layer => layer.now.milliseconds),
    bytes: weightBytes(analyzed, layer => layer.bytes),
  }
  const milliseconds = Math.min(before, timeWhole())
  /** Of the whole model, when its layers take so long: what is left of a run stays. */
  const estimate = (layers: number): number =>
    now.milliseconds < milliseconds
      ? milliseconds - now.milliseconds + layers
      : (milliseconds * layers) / now.milliseconds
  return {
    backend,
    isa,
    threads,
    milliseconds,
    layers: analyzed,
    now,
    imposed: impose.map(({ name }, index) => {
      const own = {
        milliseconds: sum(analyzed, layer => (layer.imposed[index] ?? layer.now).milliseconds),
        bytes: weightBytes(analyzed, layer => (layer.imposed[index] ?? layer).bytes),
      }
      return { name, layers: own, milliseconds: estimate(own.milliseconds) }
    }),
    ...(options.breakEven === true && { breakEven: tables }),
    skipped,
  }
}

function typesOf(feeds: Feeds): Map<string, ReturnType<typeof tensorType>> {
  const entries = feeds instanceof Map ? [...feeds] : Object.entries(feeds as Record<string, RuntimeValue>)
  return new Map(
    entries.flatMap(([name, value]) =>
      isTensor(value) ? [[name, tensorType(value.dtype, value.shape)] as const] : [],
    ),
  )
}

/** Layers that take about equally long, and the share of zeros of each. */
interface Group {
  readonly layers: readonly Layer[]
  readonly zeros: ReadonlyMap<Layer, number>
}

/** By shape and, of weights with many zeros, by how many there are and how many lie in blocks of four. */
function groupLayers(layers: readonly Layer[]): Group[] {
  const groups = new Map<string, { layers: Layer[]; zeros: Map<Layer, number> }>()
  for (const layer of layers) {
    const { values, view } = layer
    const zeros = countZeros(values) / Math.max(1, weightSize(layer))
    const key = [layerKey(layer)]
    if (zeros >= FEW_ZEROS) {
      const { zeroBlocks4 } = sparsityOf(values, { rows: [], columns: [view.order.at(-1)!] })
      key.push(...[zeros, zeroBlocks4].map(share => Math.round(50 * share).toString()))
    }
    const name = key.join(' ')
    const group = groups.get(name) ?? { layers: [], zeros: new Map<Layer, number>() }
    groups.set(name, group)
    group.layers.push(layer)
    group.zeros.set(layer, zeros)
  }
  return [...groups.values()]
}

interface Context {
  readonly options: AnalyzeOptions
  readonly engine: EngineChoice
  readonly budget: number
  readonly smallest: number
}

interface Measured {
  readonly now: LayerTime
  readonly imposed: readonly (ImposedLayer | null)[]
}

async function timeGroup(
  { layers }: Group,
  impose: readonly Imposition[],
  { options, engine, budget, smallest }: Context,
): Promise<Measured> {
  const layer = layers[0]!
  const own = asFloat32(layer.values)
  const scores = syntheticScores(own.shape, layer.view, options)
  const candidates: Candidate[] = [
    { graph: await soloGraph(layer, possibleForm(layer, layer.form), own, engine), sparse: 'auto' },
  ]
  const variants: { readonly form: LayerForm; readonly weight: Tensor<'float32'> }[] = []
  for (const { pattern, sparsity, form: asked } of weightSize(layer) < smallest ? [] : impose) {
    const form = possibleForm(layer, asked ?? layer.form)
    const weight = pattern ? syntheticWeight(own.shape, layer.view, scores, pattern, sparsity) : own
    variants.push({ form, weight })
    candidates.push({ graph: await soloGraph(layer, form, weight, engine), sparse: 'auto' })
  }
  const [now, ...times] = (await timeTogether(candidates, engine, budget)) as [LayerTime, ...LayerTime[]]
  const imposed = variants.map(
    ({ form, weight }, index): ImposedLayer => ({
      ...times[index]!,
      form,
      sparsity: countZeros(weight) / weightSize(layer),
      bytes: fileBytes(layer, form, weight),
    }),
  )
  return { now, imposed: imposed.length === impose.length ? imposed : impose.map(() => null) }
}

function describe(layer: Layer, { zeros }: Group, { now, imposed }: Measured): AnalyzedLayer {
  const { node, op, weight, macs, form, bytes, values } = layer
  return {
    node,
    op,
    weight,
    shape: values.shape,
    ...(macs !== undefined && { macs }),
    form,
    sparsity: zeros.get(layer)!,
    bytes,
    now,
    imposed,
  }
}

/** Bytes of a weight in an espalier file, scales counted. */
function fileBytes({ view }: Layer, form: LayerForm, weight: Tensor<'float32'>): number {
  if (form === 'float32') return storedIn(weight, view)
  const { integers, scales } = quantizeWeight(weight, { bits: 8, axis: view.order[0]! })
  return storedIn(integers, view) + tensorBytes(scales).length
}

function storedIn(weight: Tensor, view: Layer['view']): number {
  const graph: Graph = {
    name: '',
    inputs: [],
    outputs: [],
    nodes: [],
    initializers: new Map([['w', weight]]),
    values: new Map(),
    opsets: new Map(),
  }
  const { tensors } = encodeEspalier(graph, { views: new Map([['w', view]]) }).report
  return tensors[0]?.storedBytes ?? byteLength(weight.dtype, sizeOf(weight.shape))
}

/** A weight that several layers share counts once. */
function weightBytes(layers: readonly AnalyzedLayer[], bytes: (layer: AnalyzedLayer) => number): number {
  return sum([...new Map(layers.map(layer => [layer.weight, layer])).values()], bytes)
}

function sum<T>(items: readonly T[], f: (item: T) => number): number {
  return items.reduce((total, item) => total + f(item), 0)
}
