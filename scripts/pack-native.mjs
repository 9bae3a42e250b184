// Lays out the package that carries the native addon for this platform, prebuilt: `@espalier/native-linux-x64` and the like.
// The library looks for it by that name, and it has no install script. Gives its folder; run alone, packs it there.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const addon = join(root, 'kernels/build/Release/espalier.node')

/** The folder of the package; `undefined` when the addon has not been built. */
export function layOutNative() {
  if (!existsSync(addon)) return undefined
  const { version, license, engines } = JSON.parse(
    readFileSync(join(root, 'packages/espalier/package.json'), 'utf8'),
  )
  const { platform, arch } = process
  const folder = join(root, 'kernels/build/package')
  mkdirSync(folder, { recursive: true })
  cpSync(addon, join(folder, 'espalier.node'))
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  const manifest = {
    name: `@espalier/native-${platform}-${arch}`,
    version,
    description: `Native kernels of espalier for ${platform} ${arch}`,
    license,
    engines,
    os: [platform],
    cpu: [arch],
    main: 'espalier.node',
    files: ['espalier.node'],
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return folder
}

if (process.argv[1] === import.meta.filename) {
  const folder = layOutNative()
  if (folder === undefined) {
    console.error('the native addon is not built: npm run build:native -- --strict')
    process.exit(1)
  }
  console.log(
    execFileSync('npm', ['pack', folder, '--pack-destination', folder], { encoding: 'utf8' }).trim(),
  )
}
