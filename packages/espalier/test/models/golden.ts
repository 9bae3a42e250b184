/** Stored outputs of onnxruntime on the real inputs: shape, scale and evenly spaced elements of every output. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { numbers, type Tensor } from '../../src/tensor/index.ts'
import { largest, TOLERANCE } from './compare.ts'

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

/** What is to be stored of outputs. */
export function samplesOf(outputs: ReadonlyMap<string, Tensor>): Golden {
  return Object.fromEntries([...outputs].map(([name, value]): [string, Sample] => [name, sampleOf(value)]))
}

function sampleOf(output: Tensor): Sample {
  const all = numbers(output)
  const count = Math.min(SAMPLES, all.length)
  return {
    shape: output.shape,
    largest: largest(all),
    values: Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!),
  }
}

/** The first value of `got` that is not `wanted`, by the tolerance of compare.ts. */
function firstMisfit(got: Sample, wanted: Sample): string | undefined {
  const floor = TOLERANCE.ofLargest * wanted.largest
  for (const [i, value] of wanted.values.entries()) {
    const difference = Math.abs(got.values[i]! - value)
    if (!(difference <= TOLERANCE.relative * Math.abs(value) + floor))
      return `sample ${i}: got ${got.values[i]}, wanted ${value}`
  }
  return undefined
}

/** Where `outputs` differ from what is stored, in words. */
export function misfits(outputs: ReadonlyMap<string, Tensor>, golden: Golden): string[] {
  if (Object.keys(golden).length === 0) return ['nothing is stored: run with UPDATE_GOLDEN=1 and onnxruntime']
  return Object.entries(golden).flatMap(([name, wanted]) => {
    const output = outputs.get(name)
    if (output === undefined) return [`${name}: absent`]
    const got = sampleOf(output)
    const misfit =
      got.shape.join() === wanted.shape.join() ? firstMisfit(got, wanted) : `got shape ${got.shape.join('x')}`
    return misfit === undefined ? [] : [`${name}: ${misfit}`]
  })
}
