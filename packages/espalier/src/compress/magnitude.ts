/**
 * Pruning by magnitude: the weights with the smallest absolute values become zero, in one step and without data. The
 * simplest criterion, and the baseline of every other (Han et al. 2015; survey section 3a-1): at high sparsity a model
 * needs training afterwards, or a better criterion, to keep its accuracy.
 */
import { countZeros } from '../analysis/sparsity.ts'
import { type WeightPlace, weightPlaces } from '../analysis/weight-views.ts'
import { EspalierError } from '../errors.ts'
import { patternsOf, tensorOfPatterns } from '../formats/espalier/elements.ts'
import { extentsOf, type MatrixView, placeOf } from '../formats/espalier/matrix.ts'
import { type Graph, type Initializer, type Node, nodeName, operatorName } from '../graph/graph.ts'
import { denseOf } from '../graph/sparse.ts'
import { usesOf } from '../graph/uses.ts'
import { type DType, isFloat } from '../tensor/dtype.ts'
import { numbers } from '../tensor/elements.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { masksFor, type Pattern, patternNamed, type ScoredMatrix, sparsityFor } from './patterns/index.ts'

export interface PruneOptions {
  /** Share of the weights that become zero, 0 to 1. Patterns such as 2:4 have their own. */
  readonly sparsity?: number
  /** `unstructured` when left out; see `patternNamed`. */
  readonly pattern?: string | Pattern
  /** Whether each layer has the sparsity by itself, or all layers have it together; `layer` when left out. */
  readonly threshold?: 'layer' | 'global'
  /** Leaves the first layer as it is. */
  readonly keepFirst?: boolean
  /** Leaves the last layer as it is: the classifier of most models. */
  readonly keepLast?: boolean
  /** Fewest elements of a weight that is pruned; 1024 when left out. */
  readonly smallest?: number
  /** Prunes only weights for which this holds. */
  readonly include?: (layer: Pick<LayerPruning, 'name' | 'node' | 'op' | 'shape'>) => boolean
}

/** A weight that was pruned. */
export interface LayerPruning {
  /** Name of the weight. */
  readonly name: string
  /** Its first node, and that node's operator. */
  readonly node: string
  readonly op: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly elements: number
  /** Zeros that it has now, those it had before counted. */
  readonly zeros: number
  /** Share of zeros asked for, in this layer or in all together. */
  readonly asked: number
  readonly pattern: string
}

/** A weight that was left as it is, and why. */
export interface SkippedWeight {
  readonly name: string
  readonly reason: string
}

export interface Pruning {
  readonly graph: Graph
  readonly layers: readonly LayerPruning[]
  readonly skipped: readonly SkippedWeight[]
}

/**
 * Sets the smallest weights to zero. What counts are the float weights of products and convolutions; tables that other
 * nodes read too (embeddings tied to an output layer) are left out, as are small ones. A weight that several nodes share
 * is pruned once, as its first node reads it. Throws `bad-argument` for a sparsity that the pattern does not have, and
 * where nothing is left to prune.
 */
export function pruneMagnitude(graph: Graph, options: PruneOptions = {}): Pruning {
  const { pattern: wanted = 'unstructured', threshold = 'layer' } = options
  const pattern = typeof wanted === 'string' ? patternNamed(wanted) : wanted
  const asked = sparsityFor(pattern, options.sparsity)
  const { chosen, skipped } = chooseWeights(graph, options)
  if (chosen.length === 0)
    throw new EspalierError('bad-argument', 'the model has no weight to prune', {
      hint:
        skipped.length === 0 ? 'It has no products or convolutions with constant weights' : reasons(skipped),
    })
  const initializers = new Map<string, Initializer>(graph.initializers)
  const layers: LayerPruning[] = []
  // Layer by layer the scores of one matrix are held at a time, under one threshold those of all.
  for (const part of threshold === 'global' ? [chosen] : chosen.map(weight => [weight])) {
    const masks = masksFor(pattern, part.map(scored), asked)
    for (const [i, weight] of part.entries()) {
      const { values, layer, place } = weight
      const pruned = applyMask(values, place.view, masks[i]!)
      initializers.set(layer.name, pruned)
      layers.push({ ...layer, zeros: countZeros(pruned), asked, pattern: pattern.name })
    }
  }
  return { graph: { ...graph, initializers }, layers, skipped }
}

interface Chosen {
  readonly place: WeightPlace
  readonly values: Tensor
  readonly layer: Pick<LayerPruning, 'name' | 'node' | 'op' | 'dtype' | 'shape' | 'elements'>
}

/** The weights to prune, each once, and those that are left out. */
function chooseWeights(
  graph: Graph,
  { keepFirst = false, keepLast = false, smallest = 1024, include }: PruneOptions,
): { readonly chosen: readonly Chosen[]; readonly skipped: readonly SkippedWeight[] } {
  const places = new Map<string, WeightPlace[]>()
  for (const place of weightPlaces(graph)) places.set(place.name, [...(places.get(place.name) ?? []), place])
  const names = [...places.keys()]
  const readers = otherReaders(graph, places)
  const inputs = new Set(graph.inputs.map(({ name }) => name))
  const chosen: Chosen[] = []
  const skipped: SkippedWeight[] = []
  for (const [name, [place]] of places as Map<string, [WeightPlace]>) {
    const constant = graph.initializers.get(name)!
    const { dtype, shape } = constant
    const elements = sizeOf(shape)
    const layer = { name, node: nodeName(place.node), op: operatorName(place.node), dtype, shape, elements }
    const other = readers.get(name)
    const reason =
      (!isFloat(dtype) && `elements are ${dtype}`) ||
      (inputs.has(name) && 'a caller may override it') ||
      (other !== undefined && `${other} reads it too`) ||
      (keepFirst && name === names[0] && 'the first layer is kept') ||
      (keepLast && name === names.at(-1) && 'the last layer is kept') ||
      (elements < smallest && `fewer than ${smallest} elements`) ||
      (include !== undefined && !include(layer) && 'not asked for')
    if (reason) skipped.push({ name, reason })
    else chosen.push({ place, values: denseOf(constant), layer })
  }
  return { chosen, skipped }
}

/** For each weight a node that reads it as something else than a weight, as Gather does with an embedding. */
function otherReaders(
  graph: Graph,
  places: ReadonlyMap<string, readonly WeightPlace[]>,
): ReadonlyMap<string, string> {
  const { consumers } = usesOf(graph)
  const onTheWay = new Set(['Transpose', 'Identity', 'Cast', 'DequantizeLinear'])
  const found = new Map<string, string>()
  for (const [name, uses] of places) {
    const own = new Set<Node>(uses.map(({ node }) => node))
    const other = (consumers.get(name) ?? []).find(node => !own.has(node) && !onTheWay.has(node.op))
    if (other !== undefined) found.set(name, `${nodeName(other)} (${operatorName(other)})`)
    if (graph.outputs.some(output => output.name === name)) found.set(name, 'the caller')
  }
  return found
}

function reasons(skipped: readonly SkippedWeight[]): string {
  const [first] = skipped as readonly [SkippedWeight]
  return `All ${skipped.length} weights were left out; of "${first.name}", ${first.reason}`
}

/** Absolute values of a weight, as its matrix lies. */
function scored({ place: { view }, values }: Chosen): ScoredMatrix {
  const source = numbers(values)
  const position = placeOf(values.shape, view)
  const scores = new Float32Array(source.length)
  for (let i = 0; i < scores.length; i++) scores[i] = Math.abs(source[position(i)]!)
  return { ...extentsOf(values.shape, view), scores }
}

/** A weight with zeros (plus zero, all bits clear) where the mask of its matrix is 0. */
export function applyMask(source: Tensor, view: MatrixView, mask: Uint8Array): Tensor {
  const patterns = patternsOf(source).slice()
  const place = placeOf(source.shape, view)
  const zero = patterns instanceof BigUint64Array ? 0n : 0
  for (let i = 0; i < mask.length; i++) if (mask[i] === 0) patterns[place(i)] = zero
  return tensorOfPatterns(source.dtype, source.shape, patterns)
}
