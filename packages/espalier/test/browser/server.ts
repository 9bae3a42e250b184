/**
 * The server of the pages: the checks and the example (examples/browser), bundled as a user's build tool bundles the
 * library, and the files of ONNX's cases in one. `/isolated` and the example have the headers that let threads share
 * memory.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, relative } from 'node:path'
import { build } from 'esbuild'
import { encodeSafetensors } from '../../src/formats/safetensors/index.ts'
import { caseFiles, caseNames, caseReader } from '../../src/runtime/onnx-case-files.suite.ts'
import { tensor } from '../../src/tensor/tensor.ts'

export interface PageServer {
  /** `http://127.0.0.1:PORT`. */
  readonly address: string
  /** Paths of the scripts that the page of the checks may load. */
  readonly scripts: readonly string[]
  close(): Promise<void>
}

interface Answer {
  readonly type: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

const library = join(import.meta.dirname, '../../src')
const example = join(import.meta.dirname, '../../../../examples/browser')
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}
const page =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'

/** Bundles the page and serves it on a free port of this machine. */
export async function servePage(): Promise<PageServer> {
  const html: Answer = { type: 'text/html', body: page }
  const still = (name: string, type: string): [string, () => Answer] => [
    `/example/${name}`,
    () => ({ type, body: readFileSync(join(example, name)), headers: isolation }),
  ]
  const answers = new Map<string, () => Answer>([
    ['/', () => html],
    ['/isolated', () => ({ ...html, headers: isolation })],
    ['/cases.safetensors', () => ({ type: 'application/octet-stream', body: packCases() })],
    still('index.html', 'text/html'),
    still('style.css', 'text/css'),
  ])
  const checks = await bundle(join(import.meta.dirname, 'page.ts'), '/')
  const scripts = [...checks, ...(await bundle(join(example, 'main.js'), '/example/dist/'))]
  for (const [path, body] of scripts) answers.set(path, () => ({ type: 'text/javascript', body }))
  const server = createServer((request, response) => {
    const answer = answers.get(request.url ?? '')?.()
    if (answer === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'Content-Type': answer.type, ...answer.headers }).end(answer.body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    scripts: [...checks.keys()],
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

/**
 * The scripts of an entry, by path below `folder`. What is imported when it is first asked for stays in files of its own.
 * The library is taken from its sources.
 */
async function bundle(entry: string, folder: string): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    outdir: import.meta.dirname,
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    alias: { 'espalier/onnx': join(library, 'formats/onnx'), espalier: library },
    logLevel: 'error',
  })
  return new Map(
    outputFiles.map(({ path, contents }) => [folder + relative(import.meta.dirname, path), contents]),
  )
}

function packCases(): Uint8Array {
  const files = caseNames().flatMap(name =>
    caseFiles(name).map(path => {
      const bytes = new Uint8Array(caseReader(name)(path))
      return [`${name}/${path}`, tensor('uint8', [bytes.length], bytes)] as const
    }),
  )
  return Buffer.concat([...encodeSafetensors(files)])
}
