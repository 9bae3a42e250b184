/**
 * What this machine offers for running models, and which back end will be used and why. Node and browsers; facts
 * that a browser does not tell are left out.
 */
import type * as Fs from 'node:fs'
import type * as Os from 'node:os'
import type { Isa } from '../plan/target.ts'
import { chooseBackend } from './backends.ts'
import { nativeState, nativeVariants } from './native/backend.ts'
import { defaultThreads, hostThreads } from './threads.ts'
import { wasmState } from './wasm/backend.ts'
import { sharingState, wasmVariants } from './wasm/module.ts'

export interface BackEnd {
  readonly name: string
  readonly available: boolean
  /** Why it is not available; empty when it is. */
  readonly reason: string
  /** Variants of its kernels that this processor runs, best first. */
  readonly variants: readonly Isa[]
}

export interface Diagnosis {
  /** `node 20.20.2`, or `browser`. */
  readonly host: string
  /** Whether the host is new enough. */
  readonly supported: boolean
  readonly platform?: string
  readonly cpu?: string
  /** Logical cores this process may use. */
  readonly cores: number
  /** Memory in bytes that this process may use: the machine's, or less where the system sets a limit. */
  readonly memory?: number
  /** Vector instruction sets that matter to kernels; left out where the system does not tell. */
  readonly features?: readonly string[]
  readonly webAssembly: { readonly simd: boolean; readonly relaxedSimd: boolean; readonly threads: boolean }
  readonly backEnds: readonly BackEnd[]
  /** The back end that a session uses, and why. */
  readonly selected: { readonly name: string; readonly threads: number; readonly reason: string }
  /** Things that are not as they could be, each with what to do. */
  readonly advice: readonly string[]
}

/** The parts of the host that are asked; none of them is certain to be there. */
interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean
  readonly Memory: new (options: {
    initial: number
    maximum: number
    shared: boolean
  }) => {
    readonly buffer: ArrayBufferLike
  }
}

const host = globalThis as unknown as {
  readonly WebAssembly?: WebAssemblyApi
}

/** Oldest Node that is supported. */
export const OLDEST_NODE: readonly [number, number] = [20, 19]

/** Looks at the machine. Runs nothing and writes nothing. */
export function diagnose(): Diagnosis {
  const node = globalThis.process as NodeJS.Process | undefined
  const os = node?.getBuiltinModule?.('node:os') as typeof Os | undefined
  const webAssembly = webAssemblyFeatures()
  const version = node?.versions?.node
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number)
  const supported =
    version === undefined || major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  const features = cpuFeatures(node)
  const cpu = os?.cpus()[0]?.model.trim()
  const advice: string[] = []
  if (!supported) advice.push(`Node ${version} is too old: install ${OLDEST_NODE.join('.')} or newer`)
  const sharing = sharingState()
  if (version === undefined && !sharing.ok) advice.push(`WebAssembly runs on one thread: ${sharing.reason}`)
  if (!webAssembly.simd) advice.push('WebAssembly SIMD is missing: update Node or the browser')
  return {
    host: version === undefined ? 'browser' : `node ${version}`,
    supported,
    ...(node && os && { platform: `${node.platform} ${node.arch}`, memory: usableMemory(node, os) }),
    ...(cpu && { cpu }),
    cores: hostThreads(),
    ...(features && { features }),
    webAssembly,
    backEnds: backEnds(),
    selected: selectBackEnd(sharing.ok),
    advice,
  }
}

function backEnds(): BackEnd[] {
  const [native, wasm] = [nativeState(), wasmState()]
  return [
    {
      name: 'native',
      available: native.ok,
      reason: native.ok ? '' : native.reason,
      variants: native.ok ? nativeVariants() : [],
    },
    { name: 'wasm', available: wasm.ok, reason: wasm.ok ? '' : wasm.reason, variants: wasmVariants() },
    { name: 'reference', available: true, reason: '', variants: [] },
  ]
}

/** What a session takes when it is not told. */
function selectBackEnd(sharing: boolean): Diagnosis['selected'] {
  const { name, reason } = chooseBackend()
  const [native, wasm] = [nativeState(), wasmState()]
  const threads = name === 'native' || (name === 'wasm' && sharing) ? defaultThreads() : 1
  if (name === 'native' && native.ok)
    return { name, threads, reason: `${native.isa} kernels, from ${native.path}` }
  if (name === 'wasm' && wasm.ok)
    return { name, threads, reason: `${wasm.isa} kernels; no native ones: ${reason || 'not asked for'}` }
  return { name, threads, reason }
}

function usableMemory(node: NodeJS.Process, os: typeof Os): number {
  const limit = node.constrainedMemory?.() ?? 0
  // Without a limit, systems say 0 or a number beyond any machine.
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem()
}

/** CPU flags of interest, from the kernel on Linux; elsewhere only what every processor of the kind has. */
function cpuFeatures(node: NodeJS.Process | undefined): string[] | undefined {
  if (node?.platform !== 'linux') return node?.arch === 'arm64' ? ['NEON'] : undefined
  const fs = node.getBuiltinModule?.('node:fs') as typeof Fs | undefined // older than it is supported
  if (fs === undefined) return undefined
  let text: string
  try {
    text = fs.readFileSync('/proc/cpuinfo', 'utf8')
  } catch {
    return undefined
  }
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(' '))
  const names: Readonly<Record<string, string>> = {
    avx2: 'AVX2',
    fma: 'FMA',
    f16c: 'F16C',
    avx_vnni: 'AVX-VNNI',
    avx512f: 'AVX-512F',
    avx512bw: 'AVX-512BW',
    avx512_vnni: 'AVX-512 VNNI',
    avx512_bf16: 'AVX-512 BF16',
    amx_int8: 'AMX int8',
    amx_bf16: 'AMX bf16',
    asimd: 'NEON',
    asimddp: 'NEON dot product',
    i8mm: 'NEON int8 matrix',
    sve: 'SVE',
  }
  return Object.entries(names).flatMap(([flag, name]) => (flags.has(flag) ? [name] : []))
}

const PREAMBLE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
/** A module with one function `() -> v128` of the given body. */
const vectorFunction = (...body: number[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([
    ...PREAMBLE,
    ...[1, 5, 1, 0x60, 0, 1, 0x7b], // type section: () -> v128
    ...[3, 2, 1, 0], // function section
    ...[10, body.length + 4, 1, body.length + 2, 0, ...body, 0x0b], // code section
  ])

/** WebAssembly features, asked by validating the smallest module that uses each. */
function webAssemblyFeatures(): Diagnosis['webAssembly'] {
  const { WebAssembly } = host
  if (WebAssembly === undefined) return { simd: false, relaxedSimd: false, threads: false }
  const splat = [0x41, 0, 0xfd, 0x0f] // i32.const 0, i8x16.splat
  return {
    simd: WebAssembly.validate(vectorFunction(...splat)),
    relaxedSimd: wasmVariants().includes('wasm-relaxed'),
    threads: typeof SharedArrayBuffer !== 'undefined' && sharedMemory(WebAssembly),
  }
}

function sharedMemory(WebAssembly: WebAssemblyApi): boolean {
  try {
    return (
      new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer
    )
  } catch {
    return false
  }
}
