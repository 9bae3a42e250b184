/** onnxruntime (CPU) on whole models. It is a dependency of bench/ only, and may be absent. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { encodeOnnx } from '../../src/formats/onnx/index.ts'
import type { Graph } from '../../src/graph/index.ts'
import { type DType, type Tensor, tensor } from '../../src/tensor/index.ts'

interface OrtTensor {
  readonly type: string
  readonly data: unknown
  readonly dims: readonly number[]
}

interface Ort {
  readonly InferenceSession: {
    create(model: string | Uint8Array, options: object): Promise<OrtSession>
  }
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor
  readonly env: { logLevel?: string }
}

interface OrtSession {
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>
  release(): Promise<void>
}

const bench = join(import.meta.dirname, '../../../../bench')

/** Whether onnxruntime-node is installed in bench/. */
export const peerInstalled: boolean = existsSync(join(bench, 'node_modules/onnxruntime-node'))

export interface Peer {
  run(feeds: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>>
  close(): Promise<void>
}

export interface PeerOptions {
  /** Whether it may rewrite the model first, as it does by default; rewriting int8 models changes what they compute. */
  readonly optimize?: boolean
}

/** Opens a model, from a file or as a graph, with one thread, so that sums are always added in one order. */
export async function openPeer(model: string | Graph, { optimize = true }: PeerOptions = {}): Promise<Peer> {
  const ort = createRequire(join(bench, 'package.json'))('onnxruntime-node') as Ort
  ort.env.logLevel = 'fatal' // errors are thrown
  const input = typeof model === 'string' ? model : Buffer.concat(encodeOnnx(model))
  const session = await ort.InferenceSession.create(input, {
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
    graphOptimizationLevel: optimize ? 'all' : 'disabled',
  })
  return {
    async run(feeds) {
      const given = [...feeds].map(([name, { dtype, data, shape }]) => [
        name,
        new ort.Tensor(dtype, data, shape),
      ])
      const results = await session.run(Object.fromEntries(given) as Record<string, OrtTensor>)
      return new Map(
        Object.entries(results).map(([name, { type, data, dims }]) => [
          name,
          tensor(type as DType, [...dims], data as never) as Tensor,
        ]),
      )
    },
    close: () => session.release(),
  }
}

/** The outputs of one run of `model`. */
export async function peerOutputs(
  model: string | Graph,
  feeds: ReadonlyMap<string, Tensor>,
  options?: PeerOptions,
): Promise<ReadonlyMap<string, Tensor>> {
  const peer = await openPeer(model, options)
  const outputs = await peer.run(feeds)
  await peer.close()
  return outputs
}
