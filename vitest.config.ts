import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What a test waits for comes about on a slow machine too: time runs out only where it never would. */
const PATIENT = {
  expect: { poll: { timeout: 30_000 } },
  hookTimeout: 120_000,
  setupFiles: ['test/support/property-seed.ts'],
};

// unit: no network, no service. The other projects start or find real services first
// (test/support/services.ts).
export default defineConfig({
  test: {
    // Tests wait for processes and servers most of the time: two at once also on two cores. The projects without
    // file parallelism come after all others, one file at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: [
      'default',
      ['json', { outputFile: process.env['TEST_RESULTS'] ?? '.cache/test-results.json' }],
    ],
    projects: [
      {
        test: {
          ...PATIENT,
          name: 'unit',
          include: [
            'test/{api,app,checkpoints,core,ingest,sampler,inference,events,sink,pipeline,config,contract,cli,lab,labels,metrics,study,tools}/**/*.test.ts',
          ],
          testTimeout: 300_000,
        },
      },
      {
        // The build's own rules: types, lint, layers, dead code, generated documents.
        test: { ...PATIENT, name: 'lint', include: ['test/lint/**/*.test.ts'], testTimeout: 600_000 },
      },
      // A small share of what `npm run test:fuzz` tries.
      { test: { ...PATIENT, name: 'fuzz', include: ['test/fuzz/**/*.test.ts'], testTimeout: 300_000 } },
      { test: { ...PATIENT, name: 'parity', include: ['test/parity/**/*.test.ts'], testTimeout: 300_000 } },
      {
        test: {
          ...PATIENT,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/support/services.ts'],
          testTimeout: 300_000,
        },
      },
      {
        // Trials with faults and servers of their own; the whole of them with `npm run test:chaos`.
        test: {
          ...PATIENT,
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          testTimeout: process.env['CHAOS'] === 'full' ? 1_200_000 : 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...PATIENT,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/services.ts'],
          testTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
