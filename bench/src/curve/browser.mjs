// A Chromium with the page of measurements in it. Needs playwright-core, which the repository's root has, and a browser:
// ESPALIER_CHROMIUM names one, else the path is searched.
import { accessSync, constants } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { build } from 'esbuild'
import { serveFiles } from '../../../scripts/serve-files.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome']

function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = [
    process.env.ESPALIER_CHROMIUM,
    ...names.flatMap(name => folders.map(folder => join(folder, name))),
  ]
  return candidates.find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** `undefined` where there is no Chromium; else its version, the variants it runs, how to measure a curve and how to stop. */
export async function openBrowser() {
  const executablePath = findChromium()
  if (executablePath === undefined) return undefined
  const { chromium } = await import('playwright-core')
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page.mjs')],
    outdir: import.meta.dirname,
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    target: 'es2022',
    logLevel: 'warning',
  })
  const html = '<!doctype html><meta charset="utf-8"><script type="module" src="/page.mjs"></script>'
  const files = outputFiles.map(({ path, contents }) => [`/${basename(path)}`, () => contents])
  const server = await serveFiles(new Map([...files, ['/index.html', () => html]]))
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  const page = await browser.newPage()
  await page.goto(server.address)
  await page.waitForFunction('globalThis.curve?.isolated')
  return {
    version: browser.version(),
    variants: await page.evaluate('curve.variants()'),
    measure: (index, engine) => page.evaluate(`curve.measure(${index}, ${JSON.stringify(engine)})`),
    async close() {
      await browser.close()
      await server.close()
    },
  }
}
