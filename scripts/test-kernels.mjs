// Compiles every test of the kernels (kernels/test/*_test.cc) for this processor, under AddressSanitizer and
// UndefinedBehaviorSanitizer, and runs it. Names as arguments select some: `npm run test:kernels -- gemm conv`.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { writeSteps } from './steps.mjs'

const root = join(import.meta.dirname, '..')
const tests = join(root, 'kernels/test')
const output = join(root, 'kernels/build/test')
const variant =
  process.arch === 'arm64' ? ['-DESPALIER_ISA=neon'] : ['-DESPALIER_ISA=avx2', '-mavx2', '-mfma', '-mf16c']
const flags = [
  ...[
    '-std=c++20',
    '-O1',
    '-g',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
    '-Wall',
    '-Wextra',
  ],
  ...['-Werror', ...variant],
]

const asked = process.argv.slice(2)
const names = readdirSync(tests)
  .filter(name => name.endsWith('_test.cc'))
  .map(name => name.slice(0, -'_test.cc'.length))
  .filter(name => asked.length === 0 || asked.includes(name))

await writeSteps()
mkdirSync(output, { recursive: true })
const waiting = [...names]
const failed = []
await Promise.all(Array.from({ length: availableParallelism() }, work))
console.log(
  `kernels: ${names.length - failed.length} passed, ${failed.length} failed${failed.map(name => ` ${name}`).join('')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1

async function work() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const binary = join(output, name)
    const source = join(tests, `${name}_test.cc`)
    const ok = (await run('g++', [...flags, source, '-o', binary, '-lpthread'])) && (await run(binary, []))
    if (!ok) failed.push(name)
  }
}

function run(command, args) {
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: 'inherit' })
    child.on('error', error => {
      console.error(`${command}: ${error.message}`)
      resolve(false)
    })
    child.on('exit', code => resolve(code === 0))
  })
}
