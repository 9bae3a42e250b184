// Serves files from memory to a page that is isolated, which has threads and a finer clock than others.
import { createServer } from 'node:http'

const types = {
  html: 'text/html',
  js: 'text/javascript',
  mjs: 'text/javascript',
  css: 'text/css',
  wasm: 'application/wasm',
}

/**
 * Serves on a port of this machine, 0 for a free one. `files` are functions that give the bytes, by path, as `/main.js`;
 * `/` is `/index.html`. Gives the address and how to stop.
 */
export async function serveFiles(files, port = 0) {
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url, 'http://localhost')
    const path = pathname === '/' ? '/index.html' : pathname
    const file = files.get(path)
    if (file === undefined) return response.writeHead(404).end()
    response.writeHead(200, {
      'Content-Type': types[path.split('.').pop()],
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    })
    response.end(file())
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
