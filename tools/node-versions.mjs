// Runs the unit tests and the demo on each supported Node release other than
// the one that runs this. The binaries come from the `node` package of the npm
// registry. Ends with one line of counts and with 1 where anything failed.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** Maintained releases, and the oldest that the packages support. */
const RELEASES = [20, 22, 24];
const VITEST = path.join('node_modules', 'vitest', 'vitest.mjs');
const UNIT = ['run', '--project', 'unit'];
const NUMBERS = ['contract', 'inference', 'lab', 'sampler', 'study'].flatMap((folder) => [
  '--exclude',
  `test/${folder}/**`,
]);

const [own] = process.versions.node.split('.').map(Number);
const failed = [];
let [passed, broken] = [0, 0];
for (const release of RELEASES.filter((other) => other !== own)) {
  const results = path.join('.cache', `test-results-node-${release}.json`);
  rmSync(path.join(ROOT, results), { force: true });
  const on = (...command) => runOn(release, command, { TEST_RESULTS: results });
  // The child's own version: an npx that ignores its package would test the wrong Node.
  const checks = {
    version: on('node', '-e', `process.exit(process.versions.node.startsWith('${release}.') ? 0 : 1)`),
    'unit tests': on('node', VITEST, ...UNIT, ...NUMBERS),
    demo: on('npm', 'run', 'demo'),
  };
  for (const [name, ok] of Object.entries(checks)) if (!ok) failed.push(`Node ${release}: ${name}`);
  const counts = countsOf(results);
  passed += counts.passed;
  broken += counts.failed;
}
for (const what of failed) console.error(`failed: ${what}`);
console.log(`other Node releases: ${passed} passed, ${broken} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;

function runOn(release, command, env) {
  console.log(`\nNode ${release}: ${command.join(' ')}`);
  const { status } = spawnSync('npx', ['--yes', '--package', `node@${release}`, '--', ...command], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  return status === 0;
}

function countsOf(results) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(path.join(ROOT, results), 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return { passed: 0, failed: 0 };
  }
}
