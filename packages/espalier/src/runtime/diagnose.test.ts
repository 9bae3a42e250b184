import { availableParallelism } from 'node:os'
import { expect, test, vi } from 'vitest'
import { diagnose, OLDEST_NODE } from './diagnose.ts'
import { nativeState } from './native/backend.ts'

test('this machine', () => {
  const found = diagnose()
  expect(found).toMatchObject({
    host: `node ${process.versions.node}`,
    supported: true,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    selected: { name: nativeState().ok ? 'native' : 'wasm', threads: availableParallelism() },
  })
  expect(found.memory).toBeGreaterThan(2 ** 20)
  expect(found.webAssembly).toMatchObject({ simd: true, threads: true })
  expect(found.backEnds.map(({ name, available }) => [name, available])).toEqual([
    ['native', nativeState().ok],
    ['wasm', true],
    ['reference', true],
  ])
  for (const { available, reason } of found.backEnds) expect(reason === '').toBe(available)
})

test.each([
  [`${OLDEST_NODE[0]}.${OLDEST_NODE[1]}.0`, true],
  [`${OLDEST_NODE[0]}.${OLDEST_NODE[1] - 1}.9`, false],
  ['18.20.4', false],
  ['30.0.0', true],
])('Node %s is supported: %s', (node, supported) => {
  vi.stubGlobal('process', { ...process, versions: { node }, getBuiltinModule: process.getBuiltinModule })
  try {
    const found = diagnose()
    expect(found.supported).toBe(supported)
    expect(found.advice.some(line => line.includes('too old'))).toBe(!supported)
  } finally {
    vi.unstubAllGlobals()
  }
})

test('other systems tell less, and a browser least', () => {
  const { getBuiltinModule, versions } = process
  try {
    vi.stubGlobal('process', {
      platform: 'darwin',
      arch: 'arm64',
      versions,
      getBuiltinModule,
      constrainedMemory: () => 1000,
    })
    expect(diagnose()).toMatchObject({ platform: 'darwin arm64', features: ['NEON'], memory: 1000 })
    vi.stubGlobal('process', {
      platform: 'win32',
      arch: 'x64',
      versions,
      getBuiltinModule,
      constrainedMemory: () => 0,
    })
    expect(diagnose().features).toBeUndefined()
    vi.stubGlobal('process', undefined)
    vi.stubGlobal('WebAssembly', undefined)
    vi.stubGlobal('navigator', { hardwareConcurrency: 3 })
    const found = diagnose()
    expect(found).toMatchObject({
      host: 'browser',
      supported: true,
      cores: 3,
      webAssembly: { simd: false, relaxedSimd: false, threads: false },
    })
    expect(found.advice).toEqual(['WebAssembly SIMD is missing: update Node or the browser'])
    expect([found.platform, found.cpu, found.memory]).toEqual([undefined, undefined, undefined])
  } finally {
    vi.unstubAllGlobals()
  }
})
