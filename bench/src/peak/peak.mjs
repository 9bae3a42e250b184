// The most that one core does, measured: what the figures of kernels.mjs are shares of. The native figures come from a
// small C++ program compiled on the spot, for which there must be a compiler; the WebAssembly figure from a module
// that is put together here, byte by byte.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `{ flops, bytes }` of one core in GFLOP/s and GB/s, or `undefined` without a compiler. */
export function nativePeak() {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-peak-'))
  try {
    const program = join(folder, 'peak')
    const source = join(import.meta.dirname, 'peak.cc')
    const flags = ['-std=c++20', '-O3', '-march=native', '-ffp-contract=fast']
    execFileSync(process.env.CXX ?? 'c++', [...flags, source, '-o', program], { stdio: 'ignore' })
    const [flops, bytes] = execFileSync(program, { encoding: 'utf8' }).split(' ').map(Number)
    return { flops, bytes }
  } catch {
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Independent sums in the loop: more than latency asks for, fewer than there are registers. */
const CHAINS = 12
const STEPS = 1 << 20

/** `{ flops }` of one thread in GFLOP/s, by multiplications and additions of four floats (no relaxed SIMD). */
export function wasmPeak() {
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(loopModule())).exports
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 30; i++) {
    const start = performance.now()
    run(STEPS)
    least = Math.min(least, performance.now() - start)
  }
  return { flops: (2 * 4 * CHAINS * STEPS) / least / 1e6 }
}

/**
 * A module whose `run(steps)` repeats `chain = chain * a + b` on each of the chains and gives a lane of their sum, so
 * that nothing can be left out. Locals: 0 the steps, 1 and 2 the factor and the term, 3 on the chains.
 */
function loopModule() {
  const I32 = 0x7f
  const F32 = 0x7d
  const V128 = 0x7b
  const get = local => [0x20, local]
  const set = local => [0x21, local]
  const simd = opcode => [0xfd, ...leb(opcode)]
  const [splat, lane0, add, multiply] = [simd(0x13), [...simd(0x1f), 0], simd(0xe4), simd(0xe6)]
  const splatOf = value => [0x43, ...new Uint8Array(Float32Array.of(value).buffer), ...splat]
  const chains = Array.from({ length: CHAINS }, (_, index) => 3 + index)
  const code = [
    ...splatOf(0.999),
    ...set(1),
    ...splatOf(0.001),
    ...set(2),
    ...chains.flatMap(chain => [...splatOf(chain), ...set(chain)]),
    ...[0x03, 0x40], // loop
    ...chains.flatMap(chain => [...get(chain), ...get(1), ...multiply, ...get(2), ...add, ...set(chain)]),
    ...get(0),
    ...[0x41, 1, 0x6b, 0x22, 0], // steps = steps - 1, kept
    ...[0x0d, 0, 0x0b], // repeat while not zero; end of the loop
    ...chains.flatMap((chain, index) => [...get(chain), ...(index === 0 ? [] : add)]),
    ...lane0,
    0x0b,
  ]
  const body = [1, ...leb(chains.length + 2), V128, ...code]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, I32, 1, F32]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...new TextEncoder().encode('run'), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ])
}

const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes]

/** An unsigned integer in as many groups of seven bits as it takes. */
function leb(value) {
  const out = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...out, rest]
    out.push((rest & 0x7f) | 0x80)
  }
}
