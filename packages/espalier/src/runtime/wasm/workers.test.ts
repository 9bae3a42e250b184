// Crews of WebAssembly workers, with modules of a few bytes in place of the kernels.
import { expect, test } from 'vitest'
import { type Crew, wasmCrew } from './workers.ts'

/** A module as the kernels': it imports a shared memory, and its `run` is these instructions. */
function moduleOf(...instructions: number[]): WebAssembly.Module {
  const text = (name: string): number[] => [name.length, ...new TextEncoder().encode(name)]
  const section = (id: number, ...bytes: number[]): number[] => [id, bytes.length, ...bytes]
  const i32 = 0x7f
  return new WebAssembly.Module(
    Uint8Array.of(
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, 1, 0x60, 2, i32, i32, 0),
      ...section(2, 1, ...text('env'), ...text('memory'), 2, 3, 1, 1),
      ...section(3, 1, 0),
      ...section(6, 1, i32, 1, 0x41, 0, 0x0b),
      ...section(7, 2, ...text('run'), 0, 0, ...text('__stack_pointer'), 3, 0),
      ...section(10, 1, 2 + instructions.length, 0, ...instructions, 0x0b),
    ),
  )
}

function attach(crew: Crew, module: WebAssembly.Module): { memory: WebAssembly.Memory; detach: () => void } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  return { memory, detach: crew.attach(module, memory, 0) }
}

const nothing = moduleOf()
const trap = moduleOf(0x00)
const ended = expect.objectContaining({ code: 'disposed' })

test('a worker that traps ends its crew, and a thread that waits for it is told', async () => {
  const crew = await wasmCrew(2)
  const { memory, detach } = attach(crew, trap)
  crew.enter(memory, 0, 2)
  expect(() => {
    for (;;) crew.check()
  }).toThrow(ended)
  expect(crew.retired).toBe(true)
  expect(() => crew.enter(memory, 0, 2)).toThrow(ended)
  expect(() => attach(crew, nothing)).toThrow(ended)
  detach()
  const next = await wasmCrew(2)
  expect(next.retired).toBe(false)
  const other = attach(next, nothing)
  next.enter(other.memory, 0, 2)
  other.detach()
})

test('a crew that a larger one replaces serves its memories until they are given back', async () => {
  const small = await wasmCrew(2)
  const { memory, detach } = attach(small, nothing)
  const large = await wasmCrew(small.size + 2)
  expect(large.size).toBe(small.size + 1)
  expect([small.retired, large.retired]).toEqual([true, false])
  expect(await wasmCrew(2)).toBe(large)
  small.enter(memory, 0, 2)
  small.enter(memory, 0, 2)
  small.check()
  detach()
  expect(() => small.check()).toThrow(ended)
  expect(() => large.check()).not.toThrow()
})
