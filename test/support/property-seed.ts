import fc from 'fast-check';

// `npm test` draws the same inputs every time: what one machine passes, the next one passes too.
// `npm run test:fuzz`, which sets FUZZ_RUNS, draws new ones and names the seed of what fails.
if (process.env['FUZZ_RUNS'] === undefined) fc.configureGlobal({ seed: 14 });
