/** The command line as a process. It is bundled first: sources do not run in every Node that is supported. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import { graphBuilder } from '../graph/builder.ts'
import { save } from '../model.ts'
import { OLDEST_NODE } from '../runtime/diagnose.ts'
import { version } from '../version.ts'
import { temporaryFolder } from './testing.ts'

const path = temporaryFolder()
const script = path('espalier.mjs')
const spawned = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })

beforeAll(async () => {
  await build({
    stdin: {
      contents: "import { start } from './start.ts'; await start()",
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    platform: 'node',
    target: `node${OLDEST_NODE.join('.')}`,
    format: 'esm',
    outfile: script,
    logLevel: 'error',
  })
})

test('results, errors and exit codes', () => {
  expect(spawned('--version')).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' })
  expect(spawned('inspect')).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('FILE is missing'),
  })
  expect(spawned('inspect', path('none'))).toMatchObject({ status: 1, stdout: '' })
})

test('a reader that goes away early, as head does, is no error', async () => {
  const g = graphBuilder()
  let x = g.input('x', 'float32', [1])
  for (let i = 0; i < 5000; i++) x = g.node('Relu', [x])
  g.output(x)
  await save(path('long.onnx'), g.build())
  const child = spawn(process.execPath, [script, 'inspect', '--graph', path('long.onnx')])
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  child.stdout.once('data', () => child.stdout.destroy())
  expect(await once(child, 'close')).toEqual([0, null])
  expect(errors).toBe('')
})

describe('bin/espalier.mjs', () => {
  const bin = fileURLToPath(new URL('../../bin/espalier.mjs', import.meta.url))

  test.each(['12.22.0', '18.20.4', '20.18.9'])('Node %s is told that it is too old', old => {
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${old}' } })`
    const preload = `data:text/javascript,${encodeURIComponent(pretend)}`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, bin], {
      encoding: 'utf8',
    })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `espalier: error: Node ${old} is too old; expected ${OLDEST_NODE.join('.')} or newer. See https://nodejs.org\n`,
    )
  })
})
