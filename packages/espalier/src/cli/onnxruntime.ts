/**
 * onnxruntime as a peer to be measured against: found among the packages of the user's project or of Espalier's, which
 * does not depend on it.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EspalierError } from '../errors.ts'
import type { Outputs } from '../runtime/session.ts'
import type { DataOf, DType } from '../tensor/dtype.ts'
import { isTensor, type RuntimeValue, tensor } from '../tensor/tensor.ts'

/** The packages, which take and give the same. */
export type PeerName = 'onnxruntime-node' | 'onnxruntime-web'

export interface Peer {
  readonly name: PeerName
  readonly version: string
  /** Opens a model file. Throws `unsupported` when it cannot. */
  open(file: string, options: { readonly threads: number }): Promise<PeerSession>
}

export interface PeerSession {
  /** Makes values its own, once for many runs. Throws `unsupported` for what is not a tensor. */
  bind(feeds: ReadonlyMap<string, RuntimeValue>): () => Promise<unknown>
  /** What a run gave. */
  outputs(found: unknown): Outputs
  close(): Promise<void>
}

/** The part of onnxruntime that is used. */
interface Ort {
  readonly InferenceSession: { create(model: string | Uint8Array, options: object): Promise<OrtSession> }
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => object
  readonly env: { readonly wasm: { numThreads?: number } }
}

interface OrtSession {
  run(feeds: Readonly<Record<string, object>>): Promise<Readonly<Record<string, OrtTensor>>>
  release(): Promise<void>
}

interface OrtTensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: ArrayBufferView | readonly string[]
}

/** Finds a peer. Throws `missing-dependency` when it is not installed, `unsupported` when it does not load. */
export async function findPeer(name: PeerName): Promise<Peer> {
  const path = resolvePackage(name)
  if (path === undefined)
    throw new EspalierError('missing-dependency', `the package "${name}" is not installed`, {
      hint: `npm install ${name}`,
    })
  const { default: ort } = (await attempt(
    `${name} does not load`,
    () => import(pathToFileURL(path).href),
  )) as {
    default: Ort
  }
  return { name, version: versionNear(path), open: (file, options) => openModel(name, ort, file, options) }
}

/** Path of the entry of a package, seen from the current folder or from here. */
function resolvePackage(name: string): string | undefined {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url])
    try {
      return createRequire(from).resolve(name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    }
  return undefined
}

/** The version that the nearest package.json above a file says. */
function versionNear(path: string): string {
  const require = createRequire(path)
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder))
    try {
      const { version } = require(join(folder, 'package.json')) as { version?: string }
      if (version !== undefined) return version
    } catch {
      // Not here: further up.
    }
  return 'of unknown version'
}

async function openModel(
  name: PeerName,
  ort: Ort,
  file: string,
  { threads }: { readonly threads: number },
): Promise<PeerSession> {
  const opened = await attempt(`${name} cannot open the model`, async () => {
    const quiet = { logSeverityLevel: 3 }
    if (name === 'onnxruntime-node')
      return ort.InferenceSession.create(file, { ...quiet, intraOpNumThreads: threads, interOpNumThreads: 1 })
    ort.env.wasm.numThreads = threads
    return ort.InferenceSession.create(await readFile(file), { ...quiet, executionProviders: ['wasm'] })
  })
  return {
    bind(feeds) {
      const given = Object.fromEntries(
        [...feeds].flatMap(([input, value]) =>
          value === null ? [] : [[input, ortTensor(ort, input, value)]],
        ),
      )
      return () => attempt(`${name} cannot run the model`, () => opened.run(given))
    },
    outputs: found =>
      Object.fromEntries(
        Object.entries(found as Record<string, OrtTensor>).map(([output, value]) => [
          output,
          ownTensor(value),
        ]),
      ),
    close: () => opened.release(),
  }
}

function ortTensor(ort: Ort, input: string, value: RuntimeValue): object {
  if (isTensor(value)) return new ort.Tensor(value.dtype, value.data, value.shape)
  throw new EspalierError('unsupported', 'onnxruntime takes no sequences here', { where: { tensor: input } })
}

/** Its names of data types are ours; half floats may come in an array of their own. */
function ownTensor({ type, dims, data }: OrtTensor): RuntimeValue {
  const halves = type === 'float16' && ArrayBuffer.isView(data) && !(data instanceof Uint16Array)
  const stored = halves ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data
  return tensor(type as DType, dims.map(Number), stored as unknown as DataOf<DType>) as RuntimeValue
}

/** Runs `work`; its failures leave as `unsupported`, with what the peer says. */
async function attempt<T>(summary: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new EspalierError('unsupported', summary, {
      got: cause instanceof Error ? cause.message : String(cause),
      cause,
    })
  }
}
