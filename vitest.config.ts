import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Minutes long, and of browsers that few machines have: `npm run test:engines`.
    exclude: process.env.ENGINES ? [] : ['test/e2e/engines.test.ts'],
    globalSetup: ['test/fixtures/mongod.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Two cores: files run one after another, so that a browser and a mongod do not starve each other.
    fileParallelism: false,
  },
})
