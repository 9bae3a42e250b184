import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/**/*.test.ts'],
    setupFiles: ['packages/espalier/test/setup.ts'],
    testTimeout: 60_000,
    reporters: ['default'],
  },
})
