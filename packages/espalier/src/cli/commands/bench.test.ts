import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { graphBuilder } from '../../graph/builder.ts'
import { tensorType } from '../../graph/graph.ts'
import { save } from '../../model.ts'
import { nativeState } from '../../runtime/native/backend.ts'
import { wasmState } from '../../runtime/wasm/backend.ts'
import { fromNumbers } from '../../tensor/elements.ts'
import { affine, espalier, type Ran, temporaryFolder } from '../testing.ts'

const path = temporaryFolder()
const model = path('affine.onnx')
const bench = (...args: string[]): Promise<Ran> =>
  espalier(['bench', model, '-n', '2', '--threads', '1', ...args])

/** A package that computes y = x * [1, 2, 3] + `shift` and stands for onnxruntime. */
function installPeer(project: string, name: string, shift: number): void {
  const file = path(`${project}/node_modules/${name}/index.js`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(
    path(`${project}/node_modules/${name}/package.json`),
    JSON.stringify({ name, version: '9.8.7' }),
  )
  writeFileSync(
    file,
    `class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }) } }
    const run = async ({ x }) => ({ y: new Tensor(x.type, x.data.map((v, i) => v * (1 + i % 3) + ${shift}), x.dims) })
    const create = async model => {
      if (String(model).includes('refused')) throw new Error('no such operator')
      return { run, release: async () => {} }
    }
    module.exports = { Tensor, InferenceSession: { create }, env: { wasm: {} } }`,
  )
}

/** Runs as if in the folder of a project. */
const inProject = (project: string): void => void vi.spyOn(process, 'cwd').mockReturnValue(path(project))

beforeAll(async () => {
  await save(model, affine())
  for (const name of ['onnxruntime-node', 'onnxruntime-web']) installPeer('good', name, 1)
  installPeer('bad', 'onnxruntime-node', 2)
  mkdirSync(path('empty'))
})
afterEach(() => vi.restoreAllMocks())

test('alone: figures of the machine and of the runs', async () => {
  const { code, stdout, stderr } = await bench()
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^.+, \d+ cores?, node \d.*, load \d.*\n\n +median ms +p90 +least +first run +creation +memory +ratio\nespalier (native|wasm) .* 1\.00\n$/,
  )
  expect(stderr).toContain('note: n is taken as 1')
  const { json } = await bench('--json')
  expect(json).toMatchObject({ file: model, runs: 2, threads: 1, isa: expect.any(String) })
  expect(json.sides).toHaveLength(1)
  for (const field of ['median', 'p90', 'min', 'creation', 'first'])
    expect(json.sides[0][field]).toBeGreaterThan(0)
  expect(json.peakMemory).toBeGreaterThan(2 ** 20)
  expect([json.ratio, json.agreement]).toEqual([undefined, undefined])
})

describe('beside a peer', () => {
  test.skipIf(!nativeState().ok)('that agrees', async () => {
    inProject('good')
    const { code, stdout, stderr } = await bench('--against', 'onnxruntime')
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/\nespalier native .*\nonnxruntime-node 9\.8\.7 /)
    expect(stdout).toMatch(
      /\nespalier native runs [\d.]+ times as fast as onnxruntime-node 9\.8\.7\noutputs agree: /,
    )
    const { json } = await bench('--against', 'onnxruntime', '--json')
    expect(json.ratio).toBeCloseTo(json.sides[1].median / json.sides[0].median)
    expect(json.agreement).toMatchObject({ output: 'y', tolerance: 0.001, agree: true })
  })

  test('that does not agree: the exit code is 1, unless that is within the tolerance', async () => {
    inProject('bad')
    const args = ['--against', 'onnxruntime-node', '--json']
    const { code, json } = await bench(...args)
    expect(code).toBe(1)
    expect(json.agreement.agree).toBe(false)
    expect(json.warnings.at(-1)).toMatch(/^outputs disagree: .* in "y", beyond 0\.001$/)
    expect(await bench(...args, '--tolerance', '100')).toMatchObject({ code: 0 })
  })

  test.skipIf(!wasmState().ok)('is the one for WebAssembly where we run on it', async () => {
    inProject('good')
    const { code, json } = await bench('--against', 'onnxruntime', '--backend', 'wasm', '--json')
    expect([code, json.sides.map(({ name }: { name: string }) => name)]).toEqual([
      0,
      ['espalier wasm', 'onnxruntime-web 9.8.7'],
    ])
  })

  test('of quantised models is given more room, and an explanation', async () => {
    inProject('bad')
    const g = graphBuilder()
    const scale = g.constant(fromNumbers('float32', [], [0.5]))
    const q = g.node('QuantizeLinear', [g.input('x', 'float32', ['n', 3]), scale])
    g.output(g.node('DequantizeLinear', [q, scale], {}, { outputs: ['y'] }), tensorType('float32', ['n', 3]))
    await save(path('quantised.onnx'), g.build())
    const { code, json, stderr } = await espalier([
      'bench',
      path('quantised.onnx'),
      '-n',
      '1',
      '--against',
      'onnxruntime-node',
      '--json',
    ])
    expect([code, json.agreement.tolerance]).toEqual([1, 0.05])
    expect(stderr).toContain('onnxruntime-web is exact')
  })

  test('that is not there, does not know the model, or has another name', async () => {
    inProject('empty')
    expect(await bench('--against', 'onnxruntime-web', '--json')).toMatchObject({
      code: 1,
      json: { error: { code: 'missing-dependency', hint: 'npm install onnxruntime-web' } },
    })
    inProject('good')
    await save(path('refused.onnx'), affine())
    const refused = await espalier(['bench', path('refused.onnx'), '--against', 'onnxruntime-node'])
    expect(refused.stderr).toContain('onnxruntime-node cannot open the model; got no such operator')
    expect((await bench('--against', 'tensorflow')).stderr).toContain(
      '--against: "tensorflow" is not known; expected onnxruntime, onnxruntime-node, onnxruntime-web',
    )
  })
})

test('what is refused', async () => {
  for (const [args, message] of [
    [['--tolerance', 'x'], '--tolerance is not a number: "x"; expected such as 0.001'],
    [['--tolerance', '-1'], '--tolerance is not a number: "-1"'],
    [['--backend', 'gpu'], 'there is no back end "gpu"'],
  ] as const)
    expect(await bench(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
  expect(await espalier(['bench', model, '--runs', '0'])).toMatchObject({ code: 2 })
})
