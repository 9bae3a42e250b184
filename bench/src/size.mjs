// What a page downloads to run a model: a script that reads an ONNX file and runs it on the WebAssembly back end,
// bundled and minified for the browser, with whatever the bundle refers to. Prints raw and gzipped bytes, and which
// parts of the library they are. Variants of the kernels that are files of their own count once. See README.md.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { saveResults } from './results.mjs'

const PAGE = `
import { parseOnnx } from 'espalier/onnx'
import { session } from 'espalier/runtime'

const bytes = new Uint8Array(await (await fetch('model.onnx')).arrayBuffer())
const model = await session(await parseOnnx(bytes), { backend: 'wasm' })
const data = new Float32Array(224 * 224 * 3)
const outputs = await model.run({ input: { dtype: 'float32', shape: [1, 3, 224, 224], data } })
document.body.textContent = Object.keys(outputs).join()
`
/** Largest parts that are listed. */
const LISTED = 12

const folder = mkdtempSync(join(tmpdir(), 'espalier-size-'))
try {
  const { outputFiles, metafile } = await bundle(folder)
  const variants = new Set(
    Object.entries(metafile.outputs)
      .filter(isVariant)
      .map(([path]) => basename(path)),
  )
  const files = outputFiles.map(({ path, contents }) => ({
    file: relative(folder, path),
    variant: variants.has(basename(path)),
    bytes: contents.length,
    gzipped: gzipSync(contents, { level: 9 }).length,
  }))
  const parts = partsOf(metafile)
  for (const { file, bytes, gzipped } of files) console.log(line(file, bytes, gzipped))
  const total = key => downloaded(files, key)
  console.log(line('downloaded', total('bytes'), total('gzipped')))
  console.log('\nlargest parts, minified:')
  for (const [part, bytes] of parts.slice(0, LISTED)) console.log(`${part.padEnd(36)} ${kilobytes(bytes)}`)
  saveResults('size', {
    files,
    bytes: total('bytes'),
    gzipped: total('gzipped'),
    parts: Object.fromEntries(parts),
  })
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Whether an output is a variant of the kernels and nothing else: a page loads one of them. */
function isVariant([, { inputs }]) {
  const paths = Object.keys(inputs)
  return paths.length > 0 && paths.every(path => path.includes('runtime/wasm/modules/'))
}

/** Everything, with only the largest of the variants. */
function downloaded(files, key) {
  const largest = Math.max(0, ...files.filter(({ variant }) => variant).map(file => file[key]))
  return files.reduce((sum, file) => sum + (file.variant ? 0 : file[key]), largest)
}

function bundle(into) {
  return build({
    stdin: { contents: PAGE, resolveDir: import.meta.dirname, sourcefile: 'page.mjs' },
    outdir: into,
    bundle: true,
    minify: true,
    splitting: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    loader: { '.wasm': 'file' },
    metafile: true,
    write: false,
    logLevel: 'error',
  })
}

/** Bytes of the output by folder of the library, largest first. */
function partsOf({ outputs }) {
  const sums = new Map()
  for (const { inputs } of Object.values(outputs))
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const part = /espalier\/dist\/((?:[^/]+\/){0,3})/.exec(path)?.[1] || 'page and top level'
      sums.set(part, (sums.get(part) ?? 0) + bytesInOutput)
    }
  return [...sums].sort(([, a], [, b]) => b - a)
}

function line(name, bytes, gzipped) {
  return `${name.padEnd(24)} ${kilobytes(bytes)}   gzipped ${kilobytes(gzipped)}`
}

/** In units of 1000 bytes, as downloads are given. */
function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1).padStart(8)} kB`
}
