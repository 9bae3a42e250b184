// Results as JSON beside the benchmarks, so that two runs can be compared.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes `results/NAME.json`. */
export function saveResults(name, data) {
  const folder = join(import.meta.dirname, '../results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}.json`)
  writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), ...data }, undefined, 2)}\n`)
  console.log(`results in ${file}`)
}
