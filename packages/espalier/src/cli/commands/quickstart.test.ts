import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { realFile } from '../../formats/testdata.suite.ts'
import { save } from '../../model.ts'
import { encoder } from '../../models/encoder.ts'
import { espalier, temporaryFolder } from '../testing.ts'

const path = temporaryFolder()
/** Standard error where there are native kernels, and where there are none, or the machine is busy. */
const withoutKernels = /^(warning: (models run on WebAssembly|other things run on this machine).*\n)*$/

test('tells a story that is true, and leaves nothing behind', async () => {
  const folder = path('tmp')
  mkdirSync(folder)
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, folder)
  const { code, stdout, stderr } = await espalier(['quickstart']).finally(() => vi.unstubAllEnvs())
  expect([code, stderr]).toEqual([0, expect.stringMatching(withoutKernels)])
  const told = stdout
    .replace(/ms a run +speed/, 'MS  SPEED')
    .replace(/^(.* %) +[\d.,]+ +[\d.]+x( .*)?$/gm, (_, front, rest = '') => `${front}  MS  SPEED${rest}`)
    .replaceAll(/on the (native|wasm) back end \(.*?\)/g, 'on ENGINE')
  expect(told).toMatchInlineSnapshot(`
    "A small network for pictures of 28x28, from building to running

    built      9 nodes, 20,432 parameters
    wrote      an ONNX file, 80.5 KiB, and read it back
    inspected  1.03 M MACs a picture; layer conv2: 75.0 % zeros in the pattern 1:4, stored in 18.0 KiB
    ran        on ENGINE: the same bits before and after the file

    The main job: a text encoder as BERT is built, smaller and faster

                                        zeros    stored    share  MS  SPEED  same class  error
    as it was                           0.0 %  12.4 MiB  100.0 %  MS  SPEED
    90 % unstructured, float32         90.0 %  1.77 MiB   14.3 %  MS  SPEED     12.50 %   0.96
    80 % in blocks of 4, int8 dynamic  80.1 %  1.11 MiB    9.0 %  MS  SPEED      0.00 %   1.02

    64 rows, 1 in a run; times measured now, on ENGINE.
    Bytes and milliseconds are real. Agreement is not to be taken from here: the weights are random, so that none
    of them is unimportant, and pruning in one step without training changes what the model says. Trained models
    lose less, and get it back by training: --model and --data show it on one of yours.

    Next
      espalier quickstart --output tiny.onnx
      espalier inspect tiny.onnx
      espalier run tiny.onnx --random --top 3
      espalier compress model.onnx --sparsity 0.9 -o small.espalier
      espalier evaluate small.espalier --against model.onnx --data test.npz
    "
  `)
  expect(readdirSync(folder)).toEqual([])
})

test('keeps the model on request, and the next steps work', async () => {
  const file = path('tiny.onnx')
  const { code, json } = await espalier(['quickstart', '--output', file, '--json'])
  expect(code).toBe(0)
  expect(json).toMatchObject({ file, same: true, nodes: 9, backEnd: expect.stringMatching(/native|wasm/) })
  expect(json.forms).toHaveLength(3)
  const [before, unstructured, blocks] = json.forms
  expect(before.sparsity.fraction).toBeLessThan(0.01)
  expect(unstructured.sparsity.fraction).toBeCloseTo(0.9, 2)
  expect(blocks.sparsity.fraction).toBeGreaterThan(0.79)
  expect(unstructured.storedBytes / before.storedBytes).toBeLessThan(0.15)
  expect(blocks.storedBytes / before.storedBytes).toBeLessThan(0.1)
  for (const { milliseconds, agreement } of json.forms.slice(1)) {
    expect(milliseconds.median).toBeGreaterThan(0)
    expect(agreement.relativeError.classes).toBeGreaterThan(0)
  }
  expect(existsSync(file)).toBe(true)
  expect((await espalier(['inspect', file])).stdout).toMatch(/conv2 .*75\.0 % +0\.0 % +1:4/)
  expect((await espalier(['run', file, '--random', '--top', '3'])).stdout).toMatch(
    /^classes {2}float32 1x10\n(.*\n)*.*top 3: /,
  )
})

test('says when the model cannot be kept', async () => {
  const { code, stderr } = await espalier(['quickstart', '-o', path('no/tiny.onnx')])
  expect([code, stderr]).toEqual([1, expect.stringContaining('there is no folder')])
  expect((await espalier(['quickstart', '-o', path('tiny.npz')])).stderr).toContain(
    'a npz file cannot hold a model',
  )
})

test('runs where there are no kernels', async () => {
  const { code, stdout } = await espalier(['quickstart', '-b', 'reference'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/times measured now, on the reference back end\./)
})

test('a model of the user, on rows that are random', async () => {
  await save(path('own.onnx'), encoder({ layers: 1, width: 64, tokens: 8 }))
  const { code, stdout } = await espalier(['quickstart', '-m', path('own.onnx')])
  expect(code).toBe(0)
  expect(stdout).toContain('int8 dynamic')
  expect(stdout).toContain('The rows are random numbers')
  expect((await espalier(['quickstart', '--data', 'x.npz'])).stderr).toContain('--data is for --model')
})

const [resnet, cifar] = [
  realFile('models', 'cifar10', 'resnet20-12fca82f.safetensors'),
  realFile('cifar10', 'test_batch.bin.gz'),
]

test.skipIf(resnet === undefined || cifar === undefined)(
  'ResNet-20 on CIFAR-10: accuracy before and after',
  { timeout: 120_000 },
  async () => {
    const { code, json } = await espalier([
      'quickstart',
      '-m',
      resnet!,
      '-d',
      cifar!,
      '--limit',
      '500',
      '--json',
    ])
    expect(code).toBe(0)
    const [before, ...after] = json.forms
    expect(before.accuracy).toMatchObject({ rows: 500, top1: expect.closeTo(0.91, 1) })
    expect(before.accuracy.top1).toBeGreaterThan(0.9)
    for (const { accuracy, storedBytes, milliseconds } of after) {
      expect(accuracy.top1).toBeLessThan(before.accuracy.top1)
      expect(storedBytes / before.storedBytes).toBeLessThan(0.15)
      expect(milliseconds.median).toBeGreaterThan(0)
    }
  },
)
