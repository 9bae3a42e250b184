/** onnxruntime (CPU) on whole model files. It is a dependency of bench/ only, and may be absent. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type DType, type Tensor, tensor } from '../../src/tensor/index.ts'

interface OrtTensor {
  readonly type: string
  readonly data: unknown
  readonly dims: readonly number[]
}

interface Ort {
  readonly InferenceSession: {
    create(path: string, options: object): Promise<OrtSession>
  }
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor
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

/** Opens a model file with one thread, so that sums are always added in one order. */
export async function openPeer(path: string): Promise<Peer> {
  const ort = createRequire(join(bench, 'package.json'))('onnxruntime-node') as Ort
  const session = await ort.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 })
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
          tensor(type as DType, dims, data as never),
        ]),
      )
    },
    close: () => session.release(),
  }
}
