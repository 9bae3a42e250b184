/**
 * onnxruntime (CPU, one thread) running whole models from files or bytes. It is a dependency of bench/ only, so it is
 * looked for there; where it is absent, stored outputs of it are all there is to compare with (golden.ts).
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Values } from '../../src/runtime/executor.ts'
import type { DType } from '../../src/tensor/dtype.ts'
import { isTensor, type Tensor, tensor } from '../../src/tensor/tensor.ts'

interface OrtTensor {
  readonly type: string
  readonly data: unknown
  readonly dims: readonly number[]
}

interface OrtSession {
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>
  release(): Promise<void>
}

interface Ort {
  readonly env: { readonly versions: { readonly node?: string } }
  readonly InferenceSession: {
    create(model: string | Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession>
  }
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor
}

/** A model that is loaded and can be run again and again. */
export interface PeerSession {
  run(feeds: Values): Promise<Values>
  release(): Promise<void>
}

const bench = join(import.meta.dirname, '../../../../bench')
const ort: Ort | undefined = existsSync(join(bench, 'node_modules/onnxruntime-node'))
  ? createRequire(join(bench, 'package.json'))('onnxruntime-node')
  : undefined

/** Version of onnxruntime; `undefined` where it is not installed. */
export const peerVersion: string | undefined = ort && (ort.env.versions.node ?? 'unknown')

/** Loads a model. `optimize` lets onnxruntime rewrite it first, as it does by default. */
export async function peerSession(model: string | Uint8Array, optimize = true): Promise<PeerSession> {
  if (ort === undefined) throw new Error('onnxruntime-node is not installed in bench/')
  const { Tensor: OrtTensor, InferenceSession } = ort
  const session = await InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: optimize ? 'all' : 'disabled',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  })
  return {
    async run(feeds) {
      const entries = [...feeds].map(([name, value]) => {
        if (!isTensor(value)) throw new Error(`"${name}" is not a tensor`)
        return [name, new OrtTensor(value.dtype, value.data, value.shape)] as const
      })
      const results = await session.run(Object.fromEntries(entries))
      return new Map(Object.entries(results).map(([name, value]) => [name, fromOrt(value)]))
    },
    release: () => session.release(),
  }
}

function fromOrt({ type, data, dims }: OrtTensor): Tensor {
  return tensor(type as DType, [...dims], data as never) as Tensor
}
