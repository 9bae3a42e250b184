// Results as JSON beside the benchmarks, so that two runs can be compared.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../results')

/** Writes `results/NAME.json`. */
export function saveResults(name, data) {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}.json`)
  writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), ...data }, undefined, 2)}\n`)
  console.log(`results in ${file}`)
}

/** What was written last under this name; `undefined` where there is nothing. */
export function readResults(name) {
  const file = join(folder, `${name}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}
