import { expect, test } from 'vitest'
import { diagnose } from '../../runtime/diagnose.ts'
import { version } from '../../version.ts'
import { espalier } from '../testing.ts'
import { describeDiagnosis } from './doctor.ts'

test('on this machine', async () => {
  const { code, stdout, stderr } = await espalier(['doctor'])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(new RegExp(`^espalier +${version}\nhost +node ${process.versions.node}\n`))
  expect(stdout).toMatch(/\nWebAssembly +SIMD (yes|no), relaxed SIMD (yes|no), threads yes\n/)
  expect(stdout).toMatch(
    /\nback ends +native: (available, with kernels for \w|not available, ).*\n +wasm: available, with kernels for wasm.*\n +reference: available\nwill be used +(native|wasm), \d+ threads?: .* kernels/,
  )
  expect(stdout).toMatch(/\npictures +sharp \d+\.\d+\.\d+\n$/)
})

test('as JSON', async () => {
  const { json } = await espalier(['doctor', '--json'])
  expect(json).toMatchObject({
    espalier: version,
    host: `node ${process.versions.node}`,
    supported: true,
    selected: { name: expect.stringMatching(/^(native|wasm)$/), threads: expect.any(Number) },
    packages: { sharp: expect.stringMatching(/^\d/) },
  })
})

test('on a machine that tells little and offers less', () => {
  const { platform: _, cpu: __, memory: ___, features: ____, ...rest } = diagnose()
  const found = {
    ...rest,
    host: 'node 18.0.0',
    supported: false,
    cores: 1,
    webAssembly: { simd: false, relaxedSimd: false, threads: false },
    packages: { sharp: 'not installed: npm install sharp' },
  }
  expect(describeDiagnosis(found, 60).join('\n')).toMatch(
    /host +node 18\.0\.0 \(too old\)\nplatform +unknown\nprocessor +unknown, 1 core\nfeatures +not told by this system\nmemory +unknown\nWebAssembly +SIMD no, relaxed SIMD no, threads no\n/,
  )
})
