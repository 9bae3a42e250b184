// Bundles the example and serves it with the two headers that let WebAssembly have threads.
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { build } from 'esbuild'

const here = import.meta.dirname
await build({
  entryPoints: [`${here}/main.js`],
  outdir: `${here}/dist`,
  bundle: true,
  splitting: true, // a page loads only the WebAssembly variant that it runs
  minify: true,
  format: 'esm',
  logLevel: 'info',
})
const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' }
const server = createServer(({ url }, response) => {
  const path = url === '/' ? '/index.html' : url
  if (!/^(\/dist)?\/[\w-]+\.(html|js|css)$/.test(path)) return response.writeHead(404).end()
  response.setHeader('Content-Type', types[path.split('.').pop()])
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
  createReadStream(here + path)
    .on('error', () => response.writeHead(404).end())
    .pipe(response)
})
server.listen(Number(process.env.PORT ?? 8080), () =>
  console.log(`http://localhost:${server.address().port}`),
)
