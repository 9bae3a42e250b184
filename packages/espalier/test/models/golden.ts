/** Stored outputs of onnxruntime on the real inputs: shape, scale and evenly spaced elements of every output. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { numbers, type Tensor } from '../../src/tensor/index.ts'

/** What is stored of one output. */
export interface Sample {
  readonly shape: readonly number[]
  /** Largest absolute element. */
  readonly largest: number
  /** Elements at positions floor(i * size / values.length). */
  readonly values: readonly number[]
}

/** Samples by run and output: `photograph/scores`. */
export type Golden = Readonly<Record<string, Sample>>

const SAMPLES = 48

const fileOf = (model: string): string => join(import.meta.dirname, `../golden/${model}.json`)

export function readGolden(model: string): Golden {
  const file = fileOf(model)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Golden) : {}
}

export function writeGolden(model: string, golden: Golden): void {
  writeFileSync(fileOf(model), `${JSON.stringify(golden, undefined, 1)}\n`)
}

export function sampleOf(output: Tensor): Sample {
  const all = numbers(output)
  const count = Math.min(SAMPLES, all.length)
  return {
    shape: output.shape,
    largest: all.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    values: Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!),
  }
}

/**
 * The first value of `got` that is not `wanted` within a relative 1e-4, or within 1e-6 of the output's largest element:
 * onnxruntime computes in float32, where an element far below the largest one keeps fewer correct digits.
 */
export function firstMisfit(got: Sample, wanted: Sample): string | undefined {
  const floor = 1e-6 * wanted.largest
  for (const [i, value] of wanted.values.entries()) {
    const difference = Math.abs(got.values[i]! - value)
    if (!(difference <= 1e-4 * Math.abs(value) + floor))
      return `sample ${i}: got ${got.values[i]}, wanted ${value}`
  }
  return undefined
}
