import { defineConfig } from 'vitest/config';

// unit: no network, no service. The other projects start or find real services first (test/support/services.ts).
export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: '.cache/test-results.json' }]],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'test/{app,checkpoints,core,ingest,sampler,inference,events,sink,pipeline,config,contract,cli,lab,labels,metrics,study,tools}/**/*.test.ts',
          ],
          testTimeout: 120_000,
        },
      },
      {
        // The build's own rules: types, lint, layers, dead code, generated documents.
        test: { name: 'lint', include: ['test/lint/**/*.test.ts'], testTimeout: 240_000 },
      },
      // A small share of what `npm run test:fuzz` tries.
      { test: { name: 'fuzz', include: ['test/fuzz/**/*.test.ts'], testTimeout: 240_000 } },
      { test: { name: 'parity', include: ['test/parity/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/services.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Trials with faults and servers of their own; the whole of them with `npm run test:chaos`.
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          testTimeout: process.env['CHAOS'] === 'full' ? 1_200_000 : 240_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/services.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
