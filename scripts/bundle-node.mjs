// Bundles the library for Node, beside the modules that everybody else gets: to find, read and link hundreds of small files
// takes Node several times as long as all that they do. What entry points share lies in chunks, so that there is one copy.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const library = join(import.meta.dirname, '../packages/espalier')
const output = join(library, 'dist/node')
const { exports } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'))

/** Each file that Node gets, and the module that it stands for. */
const entries = { cli: 'dist/cli/start.js' }
for (const { node, default: module } of Object.values(exports))
  if (node !== undefined) entries[node.replace('./dist/node/', '').replace(/\.js$/, '')] = module

rmSync(output, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: library,
  entryPoints: entries,
  outdir: 'dist/node',
  // As deep as the modules: the native addon of the repository is looked for from there.
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  metafile: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  keepNames: true,
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
})
for (const [file, { inputs }] of Object.entries(metafile.outputs))
  if ('dist/runtime/native/addon.js' in inputs && !file.startsWith('dist/node/chunks/'))
    throw new Error(`the loader of the native addon is in ${file}, from where it cannot find it`)
