/**
 * onnxruntime's opinion of a graph, for any data type. Its JavaScript binding passes no bfloat16, no type below 8 bits,
 * no complex numbers and no sequence: the first two go in as initialisers and come out through a `Cast`, sequences have to
 * be taken apart inside the graph.
 */
import { numberOfDtype } from '../../src/formats/onnx/tensor-proto.ts'
import { type Graph, type Node, tensorType } from '../../src/graph/graph.ts'
import type { DType } from '../../src/tensor/dtype.ts'
import { fromNumbers, numbers } from '../../src/tensor/elements.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { peerOutputs } from '../models/peer.ts'

/** What the peer makes of a graph: values by name, or why not. */
export type PeerResult =
  | { readonly kind: 'values'; readonly values: ReadonlyMap<string, Tensor> }
  /** It has no such operator, version, mode or data type. */
  | { readonly kind: 'unsupported'; readonly reason: string }
  /** It knows the operator and refuses the call. */
  | { readonly kind: 'refused'; readonly reason: string }

/** Newest operator set and IR version that onnxruntime 1.30 reads. */
const PEER_OPSET = 26
const PEER_IR_VERSION = 13

/** The data type through which values of types that the binding does not pass come out. */
const carriers: Partial<Record<DType, DType>> = {
  bfloat16: 'float32',
  float8e4m3fn: 'float32',
  float8e4m3fnuz: 'float32',
  float8e5m2: 'float32',
  float8e5m2fnuz: 'float32',
  float8e8m0: 'float32',
  float4e2m1: 'float32',
  int4: 'int8',
  uint4: 'uint8',
  int2: 'int8',
  uint2: 'uint8',
}

const carried = (name: string): string => `${name}_carried`

/** Runs a graph as it is, without optimisation. `dtypes` are those that its outputs are expected to have. */
export async function runPeer(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  dtypes: readonly DType[],
): Promise<PeerResult> {
  const opset = graph.opsets.get('')!
  if (opset > PEER_OPSET) return { kind: 'unsupported', reason: `operator set ${opset}` }
  const used = [...dtypes, ...Array.from(feeds.values(), ({ dtype }) => dtype)]
  if (used.some(dtype => dtype.startsWith('complex')))
    return { kind: 'unsupported', reason: 'complex numbers' }
  const fed = new Map([...feeds].filter(([, { dtype }]) => carriers[dtype] === undefined))
  try {
    const results = await peerOutputs(forPeer(graph, feeds, fed, dtypes), fed, { optimize: false })
    const values = graph.outputs.map(({ name }, index): [string, Tensor] => {
      const carrier = results.get(carried(name))
      return [name, carrier ? uncarried(carrier, dtypes[index]!) : results.get(name)!]
    })
    return { kind: 'values', values: new Map(values) }
  } catch (error) {
    const reason = shorten(error instanceof Error ? error.message : String(error))
    return { kind: lacking.some(pattern => pattern.test(reason)) ? 'unsupported' : 'refused', reason }
  }
}

/** How onnxruntime says that it does not have something. */
const lacking: readonly RegExp[] = [
  /NOT_IMPLEMENTED|not implemented|not supported|does not support|not a registered function/i,
  /Could not find an implementation|not currently registered|Unrecognized attribute/,
  /Type Error: Type|Type '.*' of input parameter/,
  /mode only supports/, // ranks of Resize
  /Failed to construct locale/, // StringNormalizer wants en_US on the host
]

function shorten(message: string): string {
  return message
    .replaceAll(/\/onnxruntime_src\S*/g, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300)
}

/** The graph with what cannot be fed as initialisers, and what cannot be fetched cast to its carrier. */
function forPeer(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  fed: ReadonlyMap<string, Tensor>,
  dtypes: readonly DType[],
): Graph {
  const casts: Node[] = []
  const outputs = graph.outputs.map(({ name }, index) => {
    const carrier = carriers[dtypes[index]!]
    if (carrier === undefined) return { name, type: tensorType(dtypes[index]!) }
    casts.push({
      name: carried(name),
      op: 'Cast',
      domain: '',
      inputs: [name],
      outputs: [carried(name)],
      attributes: new Map([['to', { type: 'int', value: numberOfDtype(carrier) }]]),
    })
    return { name: carried(name), type: tensorType(carrier) }
  })
  return {
    ...graph,
    inputs: graph.inputs.filter(({ name }) => fed.has(name)),
    outputs,
    nodes: [...graph.nodes, ...casts],
    initializers: new Map([...graph.initializers, ...[...feeds].filter(([name]) => !fed.has(name))]),
    origin: { irVersion: PEER_IR_VERSION },
  }
}

function uncarried(carrier: Tensor, dtype: DType): Tensor {
  return fromNumbers(dtype, carrier.shape, numbers(carrier)) as Tensor
}
