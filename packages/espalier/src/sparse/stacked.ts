/**
 * Numbers of some outputs that follow each other, as one output of a matrix whose channels are that many times as many:
 * number `o` of channel `c` is channel `c * height + o` there. Layouts of blocks that are several outputs tall are packed from
 * it like those of blocks along the inputs.
 */
import type { Numbers, WeightMatrix } from './matrix.ts'
import type { Nonzeros } from './nonzeros.ts'

/** The matrix of stacks of `height` outputs; the last may be lower. */
export function stackedMatrix(matrix: WeightMatrix, height: number): WeightMatrix {
  const { outputs, channels } = matrix
  return { ...matrix, outputs: Math.ceil(outputs / height), channels: channels * height }
}

/** How many k have a number in any output of a stack, over all stacks. */
export function keptStacks(
  { starts, ks }: Nonzeros,
  { taps, channels }: WeightMatrix,
  height: number,
): number {
  /** One more than the stack that had a number there last. */
  const newest = new Uint32Array(taps * channels)
  let kept = 0
  for (let output = 0; output < starts.length - 1; output++) {
    const stack = Math.floor(output / height) + 1
    for (let i = starts[output]!; i < starts[output + 1]!; i++) {
      if (newest[ks[i]!]! === stack) continue
      newest[ks[i]!] = stack
      kept++
    }
  }
  return kept
}

/** The numbers as those of {@link stackedMatrix}. */
export function stackedNonzeros({ starts, ks, values }: Nonzeros, height: number): Nonzeros {
  const outputs = starts.length - 1
  const stacks = Math.ceil(outputs / height)
  const stackedStarts = new Uint32Array(stacks + 1)
  const stackedKs = new Uint32Array(ks.length)
  const stackedValues = values.slice()
  const next = new Uint32Array(height)
  for (let stack = 0, to = 0; stack < stacks; stack++) {
    const first = stack * height
    const count = Math.min(height, outputs - first)
    for (let o = 0; o < count; o++) next[o] = starts[first + o]!
    for (const end = starts[first + count]!; to < end; to++) {
      // The output whose next k is the smallest, the first of equal ones.
      let least = -1
      for (let o = 0; o < count; o++)
        if (next[o]! < starts[first + o + 1]! && (least < 0 || ks[next[o]!]! < ks[next[least]!]!)) least = o
      const from = next[least]!++
      stackedKs[to] = ks[from]! * height + least
      stackedValues[to] = values[from]!
    }
    stackedStarts[stack + 1] = to
  }
  return { starts: stackedStarts, ks: stackedKs, values: stackedValues }
}

/** Numbers of {@link stackedMatrix}, [stacks][k * height + output], as [outputs][k], in an array of the same type. */
export function unstacked<N extends Numbers>(data: N, matrix: WeightMatrix, height: number): N {
  const { outputs, taps, channels } = matrix
  const depth = taps * channels
  const result = data.slice(0, outputs * depth) as N
  for (let output = 0; output < outputs; output++) {
    const from = Math.floor(output / height) * depth * height + (output % height)
    for (let k = 0; k < depth; k++) result[output * depth + k] = data[from + k * height]!
  }
  return result
}
