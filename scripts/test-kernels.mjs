// Compiles every test of the kernels (kernels/test/*_test.cc) for this processor, under AddressSanitizer and
// UndefinedBehaviorSanitizer, and runs it. Names as arguments select some: `npm run test:kernels -- gemm conv`.
// `--target aarch64` tests the kernels for Arm on other processors: compiled by GCC for Arm, run by QEMU, without the
// sanitizers.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeSteps } from './steps.mjs'

const root = join(import.meta.dirname, '..')
const tests = join(root, 'kernels/test')

const sanitized = ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']
const avx2 = ['-DESPALIER_ISA=avx2', '-mavx2', '-mfma', '-mf16c']
const neon = ['-DESPALIER_ISA=neon']
/** `int8`: variants with 8-bit kernels of their own, whose tests (int8Tests) run once more for each, and their flags. */
const targets = {
  x64: {
    compiler: 'g++',
    flags: [...sanitized, ...avx2],
    // Their special instructions in plain C++ (kernels/simd8.hpp), so that the kernels around them run on any processor.
    int8: { vnni: ['-DESPALIER_EMULATE_VNNI'], amx: ['-DESPALIER_EMULATE_AMX'] },
  },
  arm64: { compiler: 'g++', flags: [...sanitized, ...neon] },
  aarch64: {
    compiler: 'aarch64-linux-gnu-g++',
    emulator: ['qemu-aarch64-static', '-cpu', 'max'],
    packages: 'g++-aarch64-linux-gnu qemu-user-static',
    flags: ['-static', ...neon],
    int8: { dotprod: ['-march=armv8.2-a+dotprod'] },
  },
}
const int8Tests = ['bitmask', 'conv_i8', 'gemm_i8', 'quantize', 'sparse']

const { values, positionals: asked } = parseArgs({
  options: { target: { type: 'string', default: process.arch } },
  allowPositionals: true,
})
const target = targets[values.target]
if (target === undefined) stop(`no target '${values.target}'; there are ${Object.keys(targets).join(', ')}`)
const { compiler, emulator = [], packages = compiler, flags, int8 = {} } = target
const missing = [compiler, ...emulator.slice(0, 1)].find(tool => !isOnPath(tool))
if (missing !== undefined)
  stop(`no ${missing} on the PATH. On Debian and Ubuntu: apt-get install ${packages}`)

const output = join(root, 'kernels/build/test', values.target)
const names = readdirSync(tests)
  .filter(name => name.endsWith('_test.cc'))
  .map(name => name.slice(0, -'_test.cc'.length))
  .filter(name => asked.length === 0 || asked.includes(name))
const jobs = names.map(name => ({ name, source: name, flags }))
for (const [variant, more] of Object.entries(int8))
  for (const source of names.filter(name => int8Tests.includes(name)))
    jobs.push({ name: `${source}-${variant}`, source, flags: [...flags, ...more] })

await writeSteps()
mkdirSync(output, { recursive: true })
const waiting = [...jobs]
const failed = []
await Promise.all(Array.from({ length: availableParallelism() }, work))
console.log(
  `kernels: ${jobs.length - failed.length} passed, ${failed.length} failed${failed.map(name => ` ${name}`).join('')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1

async function work() {
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
    const binary = join(output, job.name)
    const source = join(tests, `${job.source}_test.cc`)
    const compile = [compiler, '-std=c++20', '-O1', '-Wall', '-Wextra', '-Werror', ...job.flags]
    const ok = (await run(...compile, source, '-o', binary, '-lpthread')) && (await run(...emulator, binary))
    if (!ok) failed.push(job.name)
  }
}

function run(command, ...args) {
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: 'inherit' })
    child.on('error', error => {
      console.error(`${command}: ${error.message}`)
      resolve(false)
    })
    child.on('exit', code => resolve(code === 0))
  })
}

function isOnPath(tool) {
  return (process.env.PATH ?? '').split(delimiter).some(folder => existsSync(join(folder, tool)))
}

function stop(message) {
  console.error(`kernels: ${message}`)
  process.exit(1)
}
