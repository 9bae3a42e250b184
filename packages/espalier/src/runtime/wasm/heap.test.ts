import { expect, test } from 'vitest'
import { Heap } from './heap.ts'

const page = 65536
const open = (pages = 1, base = 100): Heap =>
  new Heap(new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: false }), base)

test('blocks are aligned, apart, behind the base, and zeros when they are used again', () => {
  const heap = open()
  const sizes = [1, 64, 65, 0, 1000]
  const addresses = sizes.map(size => heap.allocate(size))
  expect(addresses).toEqual([128, 192, 256, 384, 448])
  heap.bytes(256, 65).fill(7)
  heap.release(256)
  expect([heap.allocate(128), heap.bytes(256, 128).every(byte => byte === 0)]).toEqual([256, true])
})

test('what is given back in any order is one gap again', () => {
  const heap = open()
  const all = page - 128
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
  ]) {
    const blocks = Array.from({ length: 4 }, () => heap.allocate(1000))
    for (const index of order) heap.release(blocks[index]!)
    heap.release(blocks[0]!) // known no more
    expect(heap.allocate(all)).toBe(128)
    heap.release(128)
  }
  expect(heap.memory.buffer.byteLength).toBe(page)
})

test('grows by what is missing behind the last gap', () => {
  const heap = open()
  expect(heap.allocate(page)).toBe(128)
  expect(heap.memory.buffer.byteLength).toBe(2 * page)
  expect(heap.allocate(3 * page)).toBe(128 + page)
  expect(heap.memory.buffer.byteLength).toBe(5 * page)
})

test('beyond what 32 bits address there is nothing, and the rest goes on', () => {
  const heap = open()
  for (const bytes of [2 ** 32, 2 ** 40])
    expect(() => heap.allocate(bytes)).toThrow(expect.objectContaining({ code: 'too-large' }))
  expect(heap.allocate(64)).toBe(128)
})
