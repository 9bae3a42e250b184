/** From which sparsity on the sparse kernel of a layer is quicker than the dense one, measured. */
import { type Pattern, unstructured } from '../patterns/index.ts'
import type { Imposition } from './imposition.ts'
import { asFloat32, type Layer, type LayerForm } from './layers.ts'
import { possibleForm, soloGraph } from './solo.ts'
import { type SyntheticOptions, syntheticScores, syntheticWeight } from './synthetic.ts'
import { type Candidate, type EngineChoice, engineOf, type LayerTime, timeTogether } from './timing.ts'

export interface BreakEven {
  /** Layers of this shape. */
  readonly layers: readonly string[]
  readonly op: string
  readonly shape: readonly number[]
  readonly form: LayerForm
  readonly pattern: string
  /** Milliseconds of the dense kernel. */
  readonly dense: number
  /** Those of the sparse kernel. Empty where none takes the layer. */
  readonly points: readonly SweepPoint[]
  /** Sparsity from which on sparse is quicker; at the least of `points` it may be lower. `null` where it never is. */
  readonly sparsity: number | null
}

/** Sparsities that are measured. */
export const SWEEP: readonly number[] = [0.3, 0.5, 0.65, 0.8, 0.95]

export interface SweepPoint {
  /** Share of zeros. */
  readonly sparsity: number
  readonly milliseconds: number
}

/**
 * The least sparsity from which on all that was measured is quicker than `dense` milliseconds, between two points in
 * proportion. The first point where all are quicker: the crossing may lie below it. `undefined` where the last is not.
 */
export function breakEven(points: readonly SweepPoint[], dense: number): number | undefined {
  const sorted = [...points].sort((a, b) => a.sparsity - b.sparsity)
  const slower = sorted.findLastIndex(point => !(point.milliseconds < dense))
  const [before, after] = [sorted[slower], sorted[slower + 1]]
  if (before === undefined || after === undefined) return after?.sparsity
  const span = before.milliseconds - after.milliseconds
  const share = span > 0 ? (before.milliseconds - dense) / span : 1
  return before.sparsity + share * (after.sparsity - before.sparsity)
}

/** What {@link sweepLayer} measures a layer with. */
export interface Sweep {
  readonly pattern: Pattern
  /** What the layer is computed on, if it has that form; see {@link possibleForm}. */
  readonly form: LayerForm
  /** Shares of zeros; of a pattern that has its own, that one. */
  readonly sparsities: readonly number[]
}

/** A layer with dense weights, and with zeros on the sparse kernel that `always` takes. */
export interface SweptLayer {
  readonly form: LayerForm
  readonly dense: LayerTime
  /** Those at which a sparse kernel takes the layer. */
  readonly points: readonly (SweepPoint & LayerTime)[]
}

export interface SweepOptions extends EngineChoice, SyntheticOptions {
  /** Milliseconds that each is timed for, about. */
  readonly budget: number
  /** With `true`, weights come from memory in every run, and not from caches. */
  readonly cold?: boolean
}

/** Times one layer over its share of zeros, all beside each other, each for about `budget` milliseconds. */
export async function sweepLayer(
  layer: Layer,
  { pattern, form: asked, sparsities }: Sweep,
  options: SweepOptions,
): Promise<SweptLayer> {
  const engine = engineOf(options)
  const form = possibleForm(layer, asked)
  const { shape } = layer.values
  const scores = syntheticScores(shape, layer.view, options)
  const candidates: Candidate[] = [
    { graph: await soloGraph(layer, form, asFloat32(layer.values), engine), sparse: 'never' },
  ]
  for (const sparsity of sparsities) {
    const weight = syntheticWeight(shape, layer.view, scores, pattern, sparsity)
    candidates.push({ graph: await soloGraph(layer, form, weight, engine), sparse: 'always' })
  }
  const [dense, ...times] = (await timeTogether(candidates, engine, options.budget, options.cold)) as [
    LayerTime,
    ...LayerTime[],
  ]
  const points = times.map((time, i) => ({ sparsity: sparsities[i]!, ...time }))
  const isSparse = ({ kernels }: LayerTime): boolean => kernels.some(kind => !dense.kernels.includes(kind))
  return { form, dense, points: points.filter(isSparse) }
}

/**
 * Break-evens of layers of one shape: for the patterns and formats that are imposed, of those whose sparsity is free; for
 * single zeros where there are none.
 */
export async function findBreakEven(
  layers: readonly Layer[],
  impose: readonly Imposition[],
  options: SweepOptions,
): Promise<BreakEven[]> {
  const layer = layers[0]!
  const found: BreakEven[] = []
  for (const { pattern, form } of sweepsOf(layer, impose)) {
    const { dense, points } = await sweepLayer(layer, { pattern, form, sparsities: SWEEP }, options)
    found.push({
      layers: layers.map(({ node }) => node),
      op: layer.op,
      shape: layer.values.shape,
      form,
      pattern: pattern.name,
      dense: dense.milliseconds,
      points: points.map(({ sparsity, milliseconds }) => ({ sparsity, milliseconds })),
      sparsity: breakEven(points, dense.milliseconds) ?? null,
    })
  }
  return found
}

function sweepsOf(
  layer: Layer,
  impose: readonly Imposition[],
): Required<Pick<Imposition, 'pattern' | 'form'>>[] {
  const free = impose.flatMap(({ pattern, form }) =>
    pattern === undefined || pattern.sparsity !== undefined ? [] : [{ pattern, form }],
  )
  const asked = free.length > 0 ? free : [{ pattern: unstructured, form: undefined }]
  const distinct = asked.map(({ pattern, form = layer.form }) => ({
    pattern,
    form: possibleForm(layer, form),
  }))
  return [...new Map(distinct.map(sweep => [`${sweep.pattern.name} ${sweep.form}`, sweep])).values()]
}
