import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { SavingsReport } from '../../src/app/savings.ts';
import { createPostgresSink } from '../../src/sink/postgres/postgres-sink.ts';
import { runCli } from '../support/cli.ts';
import { temporaryDatabase } from '../support/names.ts';
import { clipStats } from '../support/records.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const never = new AbortController().signal;

test('report savings: in words, as a table, as JSON and as a plot', async () => {
  const url = await historyOf([
    ['hall', '2026-11-01T23:59:59.000Z', 20],
    ['hall', '2026-11-02T00:00:00.000Z', 40],
    ['hall', '2026-11-02T12:00:00.000Z', 20],
    ['dock', '2026-11-02T12:00:00.000Z', 90],
    ['dock', '2026-11-03T12:00:00.000Z', 90],
  ]);
  const directory = await temporaryDirectory();
  const ask = (...more: string[]): ReturnType<typeof runCli> =>
    runCli(['report', 'savings', '--postgres', url, '--until', '2026-11-03T00:00:00Z', ...more]);

  const words = await ask('--out', directory);
  expect(words.code, words.stderr).toBe(0);
  expect(words.stdout).toBe(
    `4 clips of 2 streams, 2026-11-01 to 2026-11-02 (UTC).
They took 1.70e+2 multiply-adds. Dense, each clip by itself, they would have taken 4.00e+2: 57 % were saved.
Most was saved at hall (73 %), least at dock (10 %).

day         stream  clips  steps kept  multiply-adds  saved
2026-11-01  hall    1      25 %        2.00e+1        80 %
2026-11-02  hall    2      25 %        6.00e+1        70 %
2026-11-02  dock    1      25 %        9.00e+1        10 %
`,
  );
  expect((await readdir(directory)).sort()).toEqual(['savings.png', 'savings.svg']);

  const { stdout } = await ask('--json', '--stream', 'hall');
  const { streams, days, ...total } = JSON.parse(stdout) as SavingsReport;
  expect(total).toMatchObject({ from: '2026-11-01', to: '2026-11-02', clips: 3, multiply_adds: 80 });
  expect(streams).toMatchObject([{ stream_id: 'hall', clips: 3, dense_multiply_adds: 300 }]);
  expect(days.map(({ day, clips }) => [day, clips])).toEqual([
    ['2026-11-01', 1],
    ['2026-11-02', 2],
  ]);
});

test('a time without clips says so', async () => {
  const url = await historyOf([]);
  const { code, stdout } = await runCli(['report', 'savings', '--postgres', url, '--since', '1h']);

  expect({ code, stdout }).toEqual({ code: 0, stdout: 'no clip of this time is in Postgres\n' });
});

/** A database with these clips, each of 100 multiply-adds when dense. */
async function historyOf(
  clips: readonly (readonly [stream: string, at: string, multiplyAdds: number])[],
): Promise<string> {
  const url = await temporaryDatabase();
  await using sink = createPostgresSink({ url, autoMigrate: true });
  await sink.open(never);
  const { compute } = clipStats().payload;
  const records = clips.map(([stream_id, clip_start, multiply_adds], n) =>
    clipStats({
      ...{ stream_id, clip_start, clip_seq: n, clip_id: `${stream_id}:${n}` },
      compute: { ...compute, multiply_adds, dense_multiply_adds: 100, kept_steps: 2, input_steps: 8 },
    }),
  );
  await sink.write(
    records.map((record, offset) => ({ offset, record, recordedAtMs: Date.now() })),
    never,
  );
  return url;
}
