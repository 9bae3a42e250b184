/**
 * Finds and loads the native addon: a package for this platform (`@espalier/native-linux-x64`) when it is installed, the
 * one that this repository builds otherwise. `ESPALIER_ADDON` names a file instead.
 */

/** What kernels/napi/addon.cc exports. */
export interface Addon {
  variants(): { readonly name: string; readonly supported: boolean; readonly traits: Int32Array }[]
  /** Zeros. */
  allocate(bytes: number): ArrayBuffer
  /** Whatever was there, from memory that results came back to; `undefined` where it has none to give. */
  borrow(bytes: number): ArrayBuffer | undefined
  release(buffer: ArrayBuffer): void
  program(variant: string, code: Int32Array, blocks: readonly (Uint8Array | null)[]): NativeProgram
  run(
    program: NativeProgram,
    views: readonly Uint8Array[],
    threads: number,
    times?: Float64Array,
  ): NativeFault | undefined
  start(
    program: NativeProgram,
    views: readonly Uint8Array[],
    threads: number,
  ): Promise<NativeFault | undefined>
}

/** A handle of the addon's. */
export type NativeProgram = { readonly nativeProgram: unique symbol }
/** Code, step and value of a fault. */
export type NativeFault = readonly [number, number, number]

export type AddonState = { readonly addon: Addon; readonly path: string } | { readonly reason: string }

let found: AddonState | undefined

/** The addon, or why there is none. Looked for once. */
export function loadAddon(): AddonState {
  found ??= findAddon()
  return found
}

function findAddon(): AddonState {
  const load = globalThis.process?.getBuiltinModule?.('node:module')
  if (load === undefined) return { reason: 'native kernels need Node' }
  const require = load.createRequire(import.meta.url)
  const { platform, arch, env } = process
  const named = env.ESPALIER_ADDON
  const places = named
    ? [named]
    : [`@espalier/native-${platform}-${arch}`, '../../../../../kernels/build/Release/espalier.node']
  const problems: string[] = []
  for (const place of places) {
    try {
      const path = require.resolve(place)
      return { addon: require(path) as Addon, path }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (named || code !== 'MODULE_NOT_FOUND') problems.push(`${place}: ${message}`)
    }
  }
  return { reason: problems.join('; ') || `no native addon for ${platform}-${arch} is installed` }
}
