/** Where tests find the real models and data sets that some of them want: not in the repository, so often nowhere. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const candidates = [
  process.env.ESPALIER_DATA,
  fileURLToPath(new URL('../../../../../shared/data', import.meta.url)),
].filter(folder => folder !== undefined)

/** The folder of real data; `undefined` when there is none, and tests that want it skip. */
export const dataFolder: string | undefined = candidates.find(folder => existsSync(folder))

/** The path of a file of real data, or `undefined`. */
export function realFile(...parts: string[]): string | undefined {
  const path = dataFolder === undefined ? undefined : join(dataFolder, ...parts)
  return path !== undefined && existsSync(path) ? path : undefined
}
