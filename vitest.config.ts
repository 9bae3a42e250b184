import { configDefaults, defineConfig } from 'vitest/config'

/** Replace modules, or import them anew (vi.mock, vi.resetModules), and want workers of their own. */
const mocking = [
  'packages/espalier/src/cli/docs.test.ts',
  'packages/espalier/src/runtime/calibrate/calibrate.test.ts',
]

export default defineConfig({
  test: {
    setupFiles: ['packages/espalier/test/setup.ts'],
    testTimeout: 60_000,
    reporters: ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['packages/**/*.test.ts', 'bench/src/**/*.test.mjs'],
          exclude: [...configDefaults.exclude, ...mocking],
          // Most of the time of a small test file would go to importing the library again.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'mocking', include: mocking } },
    ],
  },
})
