import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { EvaluationReport } from '../../src/lab/harness/types.ts';
import { ROOT, runCli } from '../support/cli.ts';
import { SHIPPED_MODEL } from '../support/shipped-model.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// Real footage is not ours to give away: it lies beside the repository, or the test is left out and says so.
const DATA = process.env['ACTIONSTREAM_DATA'] ?? path.join(ROOT, '..', 'shared', 'data');
const absent = !existsSync(path.join(DATA, 'manifest.csv'));
if (absent) {
  process.stderr.write(
    `left out: test/e2e/real-evaluation.test.ts (real footage): nothing at ${DATA}; ACTIONSTREAM_DATA names another place\n`,
  );
}

/** The shorter of the ceiling videos of the test split, with three falls. */
const CEILING = '20200628_145326_mlx90640_01_light_none.mp4';

test.skipIf(absent)(
  `${SHIPPED_MODEL} on held-out footage: better than chance, and cheaper where little happens`,
  async () => {
    const directory = await temporaryDirectory();
    const [header = '', ...rows] = (await readFile(path.join(DATA, 'manifest.csv'), 'utf8'))
      .trim()
      .split('\n');
    const chosen = rows.filter((row) => row.startsWith('ut-interaction') || row.includes(CEILING));
    const data = path.join(directory, 'manifest.csv');
    // The list lies elsewhere: paths become absolute.
    const absolute = chosen.map((row) => row.replace(/^([^,]+),/, `$1,${DATA}/`));
    await writeFile(data, [header, ...absolute].join('\n'));

    const { code, stdout, stderr } = await runCli([
      ...['evaluate', '--data', data, '--split', 'shared-test', '--model', SHIPPED_MODEL, '--json'],
    ]);

    expect(code, stderr).toBe(0);
    const { datasets, failed } = JSON.parse(stdout) as EvaluationReport;
    const [interactions, ceiling] = [datasets['ut-interaction'], datasets['fir-action']];
    if (interactions?.task !== 'choice' || ceiling?.task !== 'events') throw new Error(stdout);
    expect(failed).toEqual([]);
    expect(interactions).toMatchObject({ n: 23, left_out: 16, choices: 6 });
    // Above the chance of one in six, with 95 % certainty.
    expect(interactions.top1_interval[0]).toBeGreaterThan(1 / 6);
    expect(ceiling).toMatchObject({ videos: 1, falls: 3, hours: 0.0189 });
    expect(ceiling.labels['fall']!.detected).toBeGreaterThan(0);
    // Half of the ceiling video stands still; the interactions always move.
    expect(ceiling.compute.multiply_adds_ratio).toBeLessThan(interactions.compute.multiply_adds_ratio);
    expect(ceiling.compute.kept_ratio).toBeLessThan(interactions.compute.kept_ratio);
  },
);
