/**
 * A model of one layer, to be timed: the node with a weight of one's choice, on floats or on 8-bit integers. What it reads
 * and makes lies as between the layers of a model that runs: images have channels last, so that no transposes are timed,
 * and of what the layer makes one element is handed out, so that the rest stays in memory that is used again in each run.
 */
import { annotate } from '../../analysis/infer.ts'
import { extract } from '../../graph/extract.ts'
import { type Graph, type Node, tensorType, type Value } from '../../graph/graph.ts'
import { makeNode } from '../../graph/rewrite.ts'
import { permuted, toFirst, toLast } from '../../ops/support/channels-last.ts'
import { randomFeeds } from '../../runtime/random-feeds.ts'
import type { SessionOptions } from '../../runtime/session.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { quantizeDynamic } from '../quantize/dynamic.ts'
import { quantizeStatic } from '../quantize/static.ts'
import type { Layer, LayerForm } from './layers.ts'

/** Operators with a form on integers, and those of them that quantise their input in each run. */
const integral: Readonly<Record<Exclude<LayerForm, 'float32'>, readonly string[]>> = {
  'int8-static': ['Conv', 'MatMul', 'Gemm'],
  'int8-dynamic': ['MatMul', 'Gemm'],
}
/** The operator set in which integers have their forms, and one from which on these three operators are the same. */
const NEWEST = 21
const SETTLED = 7
/** The operator set from which on Slice takes its bounds as inputs. */
const SLICE_BY_INPUTS = 10

/** What a layer is computed on when `form` is asked for: floats where it has no such form. */
export function possibleForm({ solo, at, opset }: Layer, form: LayerForm): LayerForm {
  if (form === 'float32') return form
  return integral[form].includes(solo.op) && at === 1 && opset >= SETTLED ? form : 'float32'
}

/**
 * The layer in a form that it has, with a weight of the same shape, float32. Its last node takes one element of the
 * result.
 */
export async function soloGraph(
  layer: Layer,
  form: LayerForm,
  weight: Tensor<'float32'>,
  session: Pick<SessionOptions, 'backend' | 'threads' | 'isa' | 'onWarning'>,
): Promise<Graph> {
  const graph = await wholeGraph(layer, form, weight, session)
  return oneElement(isImage(layer) ? channelsLastEnds(graph) : graph)
}

async function wholeGraph(
  layer: Layer,
  form: LayerForm,
  weight: Tensor<'float32'>,
  session: Pick<SessionOptions, 'backend' | 'threads' | 'isa' | 'onWarning'>,
): Promise<Graph> {
  const plain = floatGraph(layer, weight)
  if (form === 'float32') return plain
  if (form === 'int8-dynamic') return quantizeDynamic(plain, { smallest: 0 }).graph
  const quantized = await quantizeStatic(plain, [randomFeeds(plain.inputs)], { ...session, smallest: 0 })
  const graph = annotate(quantized.graph)
  const kept = [nextOf(graph, 'x'), ...plain.inputs.slice(1).map(({ name }) => name)]
  return extract(graph, kept, [sourceOf(graph, 'y')])
}

/** The node alone. Its first input is `x`, its weight `w`, its output `y`. */
function floatGraph({ solo, inputs: operands, at, opset }: Layer, weight: Tensor<'float32'>): Graph {
  const inputs: Value[] = []
  const initializers = new Map<string, Tensor>()
  const names = operands.map((operand, index) => {
    if (operand === undefined) return ''
    const name = index === at ? 'w' : index === 0 ? 'x' : `input_${index}`
    if (index === at) initializers.set(name, weight)
    else if ('data' in operand) initializers.set(name, operand)
    else inputs.push({ name, type: tensorType(operand.dtype, operand.shape) })
    return name
  })
  const node: Node = {
    ...solo,
    inputs: names,
    outputs: ['y', ...solo.outputs.slice(1).map((_, i) => `y_${i}`)],
  }
  const settled = integral['int8-static'].includes(solo.op) && opset >= SETTLED
  const graph: Graph = {
    name: 'layer',
    inputs,
    outputs: [{ name: 'y' }],
    nodes: [node],
    initializers,
    values: new Map(),
    opsets: new Map([['', settled ? NEWEST : opset]]),
  }
  return annotate(graph)
}

function isImage({ solo, inputs }: Layer): boolean {
  return (solo.op === 'Conv' || solo.op === 'ConvTranspose') && (inputs[0]?.shape.length ?? 0) > 2
}

/** The same with the first input and the output turned. */
function channelsLastEnds(graph: Graph): Graph {
  const [x, ...others] = graph.inputs as [Value, ...Value[]]
  const [y] = graph.outputs as [Value]
  const { type } = x
  if (type?.kind !== 'tensor') return graph
  const shape = type.shape as readonly number[]
  const perm = (order: readonly number[]) => ({
    perm: { type: 'ints', value: [...order] } as const,
  })
  return {
    ...graph,
    inputs: [
      { name: 'x_last', type: tensorType(type.dtype, permuted(shape, toLast(shape.length))) },
      ...others,
    ],
    outputs: [{ name: 'y_last' }],
    nodes: [
      makeNode('Transpose', ['x_last'], [x.name], perm(toFirst(shape.length)), 'x_turned'),
      ...graph.nodes,
      makeNode('Transpose', [y.name], ['y_last'], perm(toLast(shape.length)), 'y_turned'),
    ],
  }
}

/** The same with the first element of its output in place of it. */
function oneElement(graph: Graph): Graph {
  const typed = annotate(graph).outputs[0]?.type
  const rank = typed?.kind === 'tensor' ? (typed.shape?.length ?? 0) : 0
  const [y] = graph.outputs as [Value]
  const bounds = { starts: new Array<number>(rank).fill(0), ends: new Array<number>(rank).fill(1) }
  const attributes = graph.opsets.get('')! < SLICE_BY_INPUTS
  const node = makeNode(
    'Slice',
    attributes ? [y.name] : [y.name, ...Object.keys(bounds)],
    ['element'],
    attributes
      ? Object.fromEntries(Object.entries(bounds).map(([name, value]) => [name, { type: 'ints', value }]))
      : {},
    'element',
  )
  return {
    ...graph,
    nodes: [...graph.nodes, node],
    outputs: [{ name: 'element' }],
    initializers: new Map([
      ...graph.initializers,
      ...(attributes ? [] : Object.entries(bounds)).map(
        ([name, value]) => [name, fromNumbers('int64', [rank], value)] as const,
      ),
    ]),
  }
}

/** The value that the only reader of `name` makes. */
function nextOf(graph: Graph, name: string): string {
  return graph.nodes.find(node => node.inputs[0] === name)!.outputs[0]!
}

/** The value that `name` is made of. */
function sourceOf(graph: Graph, name: string): string {
  return graph.nodes.find(node => node.outputs[0] === name)!.inputs[0]!
}
