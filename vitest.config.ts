import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/**/*.test.ts', 'bench/src/**/*.test.mjs'],
    setupFiles: ['packages/espalier/test/setup.ts'],
    testTimeout: 60_000,
    reporters: ['default'],
  },
})
