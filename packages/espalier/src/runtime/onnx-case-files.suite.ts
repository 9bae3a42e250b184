/**
 * Where the files of ONNX's operator cases are: in `ESPALIER_ONNX_CASES`, else in `../shared/onnx-node-tests` beside the
 * repository. `ONNX_CASES=<regular expression>` selects some.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder =
  process.env.ESPALIER_ONNX_CASES ?? join(import.meta.dirname, '../../../../../shared/onnx-node-tests')

/** The cases there are; none without the folder. */
export function caseNames(): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => existsSync(join(folder, name, 'model.onnx')))
    .filter(name => new RegExp(process.env.ONNX_CASES ?? '').test(name))
}

/** Reads the files of a case, by their paths in its folder. */
export function caseReader(name: string): (path: string) => Uint8Array {
  return path => readFileSync(join(folder, name, path))
}

/** The paths of all files of a case, for {@link caseReader}. */
export function caseFiles(name: string): string[] {
  return readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => /\.(onnx|pb)$/.test(path))
}
