import { expect, test } from 'vitest'
import { memorySource } from './source.ts'
import { watchSource } from './watched.ts'

test('tells how much has been read, never more than there is', async () => {
  const seen: [number, number][] = []
  const source = watchSource(memorySource(new Uint8Array(10), 'file'), (done, total) =>
    seen.push([done, total]),
  )
  expect([source.name, source.size]).toEqual(['file', 10])
  expect(source.readSync(0, 4)).toHaveLength(4)
  expect(await source.read(4, 5)).toHaveLength(5)
  await source.read(0, 10)
  await expect(source.read(8, 5)).rejects.toThrow()
  expect(seen).toEqual([
    [4, 10],
    [9, 10],
    [10, 10],
  ])
  await source.close()
})
