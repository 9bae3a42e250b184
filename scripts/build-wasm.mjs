// Builds the WebAssembly variants from kernels/ with the clang that is an npm package, and embeds them in the library as
// text. What was built from the same sources before is kept in kernels/build/wasm.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { writeSteps } from './steps.mjs'

const root = join(import.meta.dirname, '..')
const kernels = join(root, 'kernels')
const output = join(root, 'packages/espalier/src/runtime/wasm/modules')

/** Modules by name: the file that is compiled, and what it may use beyond SIMD. */
const modules = {
  wasm: { source: 'isa/wasm.cc', flags: [] },
  'wasm-relaxed': { source: 'isa/wasm_relaxed.cc', flags: ['-mrelaxed-simd'] },
}
const compileFlags = [
  ...['--target=wasm32', '-std=c++20', '-O3', '-msimd128', '-mbulk-memory', '-matomics', '-mmutable-globals'],
  ...['-mnontrapping-fptoint', '-msign-ext', '-nostdlib', '-nostdinc++', '-ffreestanding', '-fno-exceptions'],
  ...['-Ikernels'],
  ...['-fno-rtti', '-fno-math-errno', '-fno-trapping-math', '-Wall', '-Wextra', '-Werror'],
  // Loop strength reduction makes pointers whose offsets no load can take (gemm_tile.hpp).
  ...['-mllvm', '-disable-lsr'],
]
/** The memory is the embedder's; its stack lies below the data, so that an overflow traps. */
const stackBytes = 2 ** 19
const linkFlags = [
  ...['--no-entry', '--import-memory', '--shared-memory', '--max-memory=4294967296', '--stack-first'],
  ...[
    '-z',
    `stack-size=${stackBytes}`,
    '--export=__stack_pointer',
    '--export=__heap_base',
    '--gc-sections',
    '-O3',
    '-s',
  ],
]

await writeSteps()
const tree = readTree(kernels)
const hash = createHash('sha256').update(JSON.stringify([modules, compileFlags, linkFlags]))
hashTree(tree, hash)
const key = hash.digest('hex').slice(0, 16)
const cache = join(kernels, 'build/wasm', key)
mkdirSync(cache, { recursive: true })
mkdirSync(output, { recursive: true })
const binary = name => join(cache, `${name}.wasm`)

const [only] = process.argv.slice(2)
if (only !== undefined) writeFileSync(binary(only), await compile(modules[only]).catch(fail))
else {
  // A process for each: the compiler is slow, and has one thread.
  const missing = Object.keys(modules).filter(name => !existsSync(binary(name)))
  if ((await Promise.all(missing.map(build))).some(code => code !== 0)) process.exit(1)
  for (const name of Object.keys(modules)) embed(name)
}

function build(name) {
  return new Promise(resolve => {
    spawn(process.execPath, [import.meta.filename, name], { stdio: 'inherit' }).on('exit', resolve)
  })
}

function embed(name) {
  const bytes = readFileSync(binary(name))
  const packed = deflateRawSync(bytes, { level: 9 })
  const text = `/** Kernels as WebAssembly, deflated, in base64; made by scripts/build-wasm.mjs. */\nexport const bytes: string =\n  '${packed.toString('base64')}'\n`
  const file = join(output, `${name}.ts`)
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
  console.log(`${name}: ${bytes.length} bytes, ${packed.length} deflated`)
}

/** The compiler has told what is wrong; its error carries every source. */
function fail(error) {
  console.error(`WebAssembly: ${error.message}`)
  process.exit(1)
}

async function compile({ source, flags }) {
  const { runLLVM } = await import('@yowasp/clang')
  const stderr = bytes => bytes && process.stderr.write(bytes)
  const quiet = { stdout: null, stderr, fetchProgress: () => {} }
  const object = await runLLVM(
    ['clang++', ...compileFlags, ...flags, '-c', `kernels/${source}`, '-o', 'kernels.o'],
    { kernels: tree },
    quiet,
  )
  const linked = await runLLVM(
    ['wasm-ld', ...linkFlags, 'kernels.o', '-o', 'kernels.wasm'],
    { 'kernels.o': object['kernels.o'] },
    quiet,
  )
  return linked['kernels.wasm']
}

/** The sources that the modules are made of, as nested objects. */
function readTree(folder) {
  const entries = readdirSync(folder)
    .sort()
    .filter(name => !['build', 'test', 'napi', 'binding.gyp', 'README.md'].includes(name))
    .map(name => {
      const path = join(folder, name)
      return [name, statSync(path).isDirectory() ? readTree(path) : readSource(path)]
    })
  return Object.fromEntries(entries)
}

/** The compiler's file system knows no parent folders: includes are looked up from kernels/ instead. */
function readSource(path) {
  return readFileSync(path, 'utf8').replaceAll('#include "../', '#include "')
}

function hashTree(folder, into) {
  for (const [name, entry] of Object.entries(folder)) {
    into.update(`${name}\0`)
    if (typeof entry === 'string') into.update(entry)
    else hashTree(entry, into)
  }
}
