// Bundles the page and serves it beside onnxruntime-web, which is taken from the benchmarks' packages.
//
//     node docs/demo/serve.mjs         http://localhost:8080; PORT=... for another
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { serveFiles } from '../../scripts/serve-files.mjs'

const here = import.meta.dirname
const peer = join(here, '../../bench/node_modules/onnxruntime-web/dist')
/** What of onnxruntime-web runs on WebAssembly alone. */
const peerFiles = ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']

/** Whether onnxruntime-web is there. */
export const hasPeer = () => existsSync(join(peer, peerFiles[0]))

/**
 * Serves the page on a port, 0 for a free one; gives its address and how to stop. `alias` tells esbuild where the library
 * is, if not where its package is installed.
 */
export async function serveDemo({ port = 0, alias = {} } = {}) {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'main.js'), join(here, 'worker.js')],
    outdir: join(here, 'dist'),
    bundle: true,
    splitting: true, // a page loads only the WebAssembly variant that it runs
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    alias,
    logLevel: 'warning',
  })
  const files = [
    ...['index.html', 'style.css'].map(name => [`/${name}`, () => readFileSync(join(here, name))]),
    ...outputFiles.map(({ path, contents }) => [`/dist/${basename(path)}`, () => contents]),
    ...peerFiles.map(name => [`/ort/${name}`, () => readFileSync(join(peer, name))]),
  ]
  return serveFiles(new Map(files), port)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!hasPeer()) {
    console.error('onnxruntime-web is not there: npm --prefix bench ci --ignore-scripts')
    process.exit(1)
  }
  const { address } = await serveDemo({ port: Number(process.env.PORT ?? 8080) })
  console.log(address)
}
