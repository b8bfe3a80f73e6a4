import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What a test waits for comes about on a slow machine too: time runs out only where it never would. */
const PATIENT = {
  expect: { poll: { timeout: 30_000 } },
  hookTimeout: 120_000,
  setupFiles: ['test/support/property-seed.ts'],
};

const IS_WHOLE_CHAOS = process.env['CHAOS'] === 'full';
const END_TO_END = ['test/e2e/**/*.test.ts'];
/** Cameras in real time, a budget or an audit that follows the clock: they have the machine to themselves. */
const LIVE = [
  ...['audit', 'camera', 'dashboard', 'engine-losses', 'fleet', 'heartbeat', 'metrics', 'orphans'],
  ...['shared-work', 'stream-changes'],
].map((name) => `test/e2e/${name}.test.ts`);

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
            'test/{api,app,checkpoints,core,fleet,ingest,sampler,inference,events,sink,pipeline,config,contract,cli,lab,labels,metrics,study,tools}/**/*.test.ts',
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
          // The whole in two parts side by side; its share of `npm test` is in the first file.
          include: [IS_WHOLE_CHAOS ? 'test/chaos/*.test.ts' : 'test/chaos/part-1.test.ts'],
          testTimeout: IS_WHOLE_CHAOS ? 1_800_000 : 300_000,
          fileParallelism: IS_WHOLE_CHAOS,
        },
      },
      {
        // Whole programs that wait for each other most of the time.
        test: {
          ...PATIENT,
          name: 'e2e',
          include: END_TO_END,
          exclude: LIVE,
          globalSetup: ['test/support/services.ts'],
          testTimeout: 300_000,
        },
      },
      // 24 streams on four workers, with a table at the end: only with `npm run test:fleet`.
      ...(process.env['FLEET'] === 'full'
        ? [
            {
              test: {
                ...PATIENT,
                name: 'fleet',
                include: ['test/fleet-trials/**/*.test.ts'],
                globalSetup: ['test/support/services.ts'],
                testTimeout: 1_200_000,
              },
            },
          ]
        : []),
      {
        test: {
          ...PATIENT,
          name: 'live',
          include: LIVE,
          globalSetup: ['test/support/services.ts'],
          testTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
