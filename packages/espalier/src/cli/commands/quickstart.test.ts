import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { espalier, temporaryFolder } from '../testing.ts'

const path = temporaryFolder()
/** Standard error where there are native kernels, and where there are none. */
const withoutKernels = /^(warning: models run on WebAssembly: .*\n)*$/

test('tells a story that is true, and leaves nothing behind', async () => {
  const folder = path('tmp')
  mkdirSync(folder)
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, folder)
  const { code, stdout, stderr } = await espalier(['quickstart']).finally(() => vi.unstubAllEnvs())
  expect([code, stderr]).toEqual([0, expect.stringMatching(withoutKernels)])
  const told = stdout
    .replaceAll(/[\d.]+ ms/g, 'N ms')
    .replace(/on the (native|wasm) back end \(.*?\)/, 'on ENGINE')
  expect(told).toMatchInlineSnapshot(`
    "A small network for pictures of 28x28, from building to running

    built      9 nodes, 20,432 parameters
    wrote      an ONNX file, 80.5 KiB, and read it back
    inspected  1.03 M MACs a picture; layer conv2: 75.0 % zeros in the pattern 1:4, stored in 18.0 KiB
    ran        on ENGINE: the same bits before and after the file

    74.5 % of its weights are zero. Measured against the same network without zeros:
      with zeros    80.5 KiB, N ms a picture
      without       80.5 KiB, N ms a picture
    Zeros alone save neither: a file and a kernel have to make use of them. That is what Espalier is for,
    and why it never shows a sparsity without the bytes and milliseconds beside it.

    Next
      espalier quickstart --output tiny.onnx
      espalier inspect tiny.onnx
      espalier run tiny.onnx --random --top 3
      espalier profile tiny.onnx
    "
  `)
  expect(readdirSync(folder)).toEqual([])
})

test('keeps the model on request, and the next steps work', async () => {
  const file = path('tiny.onnx')
  const { code, json } = await espalier(['quickstart', '--output', file, '--json'])
  expect(code).toBe(0)
  expect(json).toMatchObject({ file, same: true, nodes: 9, backEnd: expect.stringMatching(/native|wasm/) })
  expect(json.bytes.withZeros).toBe(json.bytes.without)
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
