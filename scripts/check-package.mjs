// What a user gets is what is tested: packs the library, checks the tarball's types and entry points, imports every
// sub-path export from it in Node, and bundles every one for a browser.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { layOutNative } from './pack-native.mjs'

const root = join(import.meta.dirname, '..')
const library = join(root, 'packages/espalier')
const run = (command, args, cwd = root) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

/** The library takes the addon from the package for this platform, and WebAssembly where there is none. */
function checkNative(project) {
  const selected = () => {
    const script = `console.log(JSON.stringify((await import('espalier/runtime')).diagnose().selected))`
    return JSON.parse(run(process.execPath, ['--input-type=module', '-e', script], project))
  }
  const without = selected()
  if (without.name !== 'wasm') throw new Error(`without an addon, ${without.name} was taken`)
  const native = layOutNative()
  if (native === undefined) return console.log('native addon: not built here, not checked')
  const { name } = JSON.parse(readFileSync(join(native, 'package.json'), 'utf8'))
  cpSync(native, join(project, 'node_modules', name), { recursive: true })
  const { name: taken, reason } = selected()
  if (taken !== 'native') throw new Error(`${name} is installed, but ${taken} was taken: ${reason}`)
  console.log(`${name}: taken, ${reason}`)
}

const folder = mkdtempSync(join(tmpdir(), 'espalier-package-'))
try {
  const [{ filename, files, unpackedSize }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], library),
  )
  const tarball = join(folder, filename)
  console.log(`${filename}: ${files.length} files, ${(unpackedSize / 1e6).toFixed(2)} MB unpacked`)
  const strays = files
    .map(file => file.path)
    .filter(path => /\.(test|suite)\.|\/testing\.|\/golden\//.test(path))
  if (strays.length > 0) throw new Error(`test files in the package: ${strays.join(', ')}`)
  console.log(run('npx', ['publint', tarball, '--strict']).trim())
  console.log(run('npx', ['attw', tarball, '--profile', 'esm-only', '--format', 'ascii']).trim())

  const project = join(folder, 'project')
  mkdirSync(join(project, 'node_modules/espalier'), { recursive: true })
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  run('tar', ['xzf', tarball, '--strip-components=1', '-C', join(project, 'node_modules/espalier')])
  const { exports } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'))
  const entries = Object.keys(exports)
    .filter(path => path !== './package.json')
    .map(path => path.replace('.', 'espalier'))
  for (const entry of entries) {
    const script = `const m = await import(${JSON.stringify(entry)}); if (Object.keys(m).length === 0) throw new Error('exports nothing')`
    run(process.execPath, ['--input-type=module', '-e', script], project)
    const result = await build({
      stdin: { contents: `export * from ${JSON.stringify(entry)}`, resolveDir: project },
      bundle: true,
      write: false,
      minify: true,
      format: 'esm',
      platform: 'browser',
      logLevel: 'error',
    })
    console.log(
      `${entry.padEnd(22)} imports in Node, bundles for a browser: ${(result.outputFiles[0].contents.length / 1000).toFixed(0)} kB minified`,
    )
  }
  checkNative(project)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
