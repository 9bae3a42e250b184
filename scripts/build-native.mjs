// Builds the native addon from kernels/ with node-gyp. Without a compiler it says so in one line and succeeds: the library
// then runs on WebAssembly. `--strict` makes that a failure.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeSteps } from './steps.mjs'

const root = join(import.meta.dirname, '..')
const strict = process.argv.includes('--strict')

await writeSteps()
const headers = join(process.execPath, '../..')
const args = [
  join(root, 'node_modules/node-gyp/bin/node-gyp.js'),
  'configure',
  'build',
  '--silent',
  '-j',
  'max',
]
// Headers that come with Node spare a download.
if (existsSync(join(headers, 'include/node/node_api.h'))) args.push('--nodedir', headers)
const { status, stdout, stderr } = spawnSync(process.execPath, args, {
  cwd: join(root, 'kernels'),
  encoding: 'utf8',
  maxBuffer: 2 ** 28,
})
if (status === 0) console.log('native addon: kernels/build/Release/espalier.node')
else {
  const told = `${stdout}${stderr}`.trim()
  if (strict) {
    console.error(told)
    process.exit(1)
  }
  const reason = /error: .*|not found.*|gyp ERR! stack .*/.exec(told)?.[0] ?? 'no compiler?'
  console.log(
    `native addon: not built (${reason}); models will run on WebAssembly. See: npm run build:native`,
  )
}
