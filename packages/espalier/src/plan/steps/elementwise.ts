/** Element-wise arithmetic of any kind, and chains of it: see plan/elementwise/program.ts. */
import { type Storage, storageNames, storages } from '../elementwise/instructions.ts'
import type { StepSpec } from '../fields.ts'

const elementwiseFields = {
  x0: 'in?',
  x1: 'in?',
  x2: 'in?',
  x3: 'in?',
  x4: 'in?',
  x5: 'in?',
  x6: 'in?',
  x7: 'in?',
  /** Row-major. */
  y: 'out',
  rank: 'int',
  shape: 'int[8]',
  /** Strides and types of the inputs, constants, instructions. */
  program: 'ints',
} as const

export interface ElementwiseSteps {
  readonly elementwise: StepSpec<typeof elementwiseFields>
}

export const elementwiseSteps: ElementwiseSteps = {
  elementwise: {
    doc: 'y[i] = f(x0[i . strides0], x1[i . strides1], ...) for every index i of shape; program says f.',
    fields: elementwiseFields,
    cost: ({ shape, rank, program }) => {
      const extents = shape.slice(0, rank)
      const count = extents.reduce((a, b) => a * b, 1)
      let bytes = count * bytesOf(program[4]!)
      for (let input = 0, at = 7; input < program[0]!; input++, at += 1 + rank) {
        const touched = extents.filter((_, axis) => program[at + 1 + axis] !== 0)
        bytes += touched.reduce((a, b) => a * b, bytesOf(program[at]!))
      }
      return { flops: count * program[6]!, bytes }
    },
  },
}

function bytesOf(storage: number): number {
  return storages[storageNames[storage] as Storage][1]
}
