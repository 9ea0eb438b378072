import { defineConfig } from 'vitest/config';

/** Suites against servers that somebody else has started; each says which variable names its server. */
export default defineConfig({
  test: {
    include: ['test/**/*.compose.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
