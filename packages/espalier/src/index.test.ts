import { expect, test } from 'vitest'
import { classifier, temporaryFolder } from './cli/testing.ts'
import * as espalier from './index.ts'

const path = temporaryFolder()

test('what programs get', () => {
  expect(Object.keys(espalier).sort()).toMatchInlineSnapshot(`
    [
      "EspalierError",
      "analyze",
      "annotate",
      "bigints",
      "checkModel",
      "compress",
      "convert",
      "diagnose",
      "dump",
      "elementCount",
      "evaluate",
      "float32",
      "floatAttribute",
      "floatsAttribute",
      "foldConstants",
      "fromBigInts",
      "fromNumbers",
      "full",
      "graphBuilder",
      "infer",
      "inspect",
      "int64",
      "isTensor",
      "load",
      "numbers",
      "pruneMagnitude",
      "randomFeeds",
      "readData",
      "readFeeds",
      "readFile",
      "readImposition",
      "reference",
      "requiredInputs",
      "reshape",
      "runReference",
      "sameTensor",
      "save",
      "session",
      "statistics",
      "strings",
      "tensor",
      "tensorBytes",
      "tensorFromBytes",
      "tensorType",
      "validate",
      "version",
      "writeTensors",
      "zeros",
    ]
  `)
})

test('the example of the file', async () => {
  const { load, randomFeeds, requiredInputs, save, session, statistics } = espalier
  await save(path('model.onnx'), classifier())
  const model = await load(path('model.onnx'))
  expect(statistics(model).parameters).toBe(288)
  const feeds = randomFeeds(requiredInputs(model), { symbols: new Map([['batch', 2]]) })
  using opened = await session(model)
  expect((await opened.run(feeds)).logits).toMatchObject({ shape: [2, 10] })
})

test('files, as the commands see them', async () => {
  const { convert, inspect, save } = espalier
  await save(path('m.onnx'), classifier())
  expect(await convert(path('m.onnx'), path('w.npz'))).toMatchObject({ format: 'npz', nodes: 0 })
  expect(await inspect(path('w.npz'))).toMatchObject({ kind: 'tensors', format: 'npz' })
  expect(await inspect(path('m.onnx'))).toMatchObject({ kind: 'model', nodes: 6, problems: [] })
})
