import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { EvaluationReport } from '../../src/app/evaluation/types.ts';
import type { PublishedRecord } from '../../src/core/records.ts';
import { jsonLines, runCli } from '../support/cli.ts';
import { LABELS, saveModel, tinyModel, writeClips, writeManifest } from '../support/evaluation-clips.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface WatchedLine {
  readonly events: readonly { readonly label: string; readonly start_s: number; readonly end_s: number }[];
}

test('evaluate reports the episodes of run, names a broken video and says so in its exit code', async () => {
  const folder = await temporaryDirectory();
  const clips = path.join(folder, 'clips');
  await writeClips(clips);
  const model = await saveModel(path.join(folder, 'model'), tinyModel(LABELS));
  const data = await writeManifest(clips, [
    'fir-action,long.mp4,falling,3,4,test',
    'fir-action,broken.mp4,falling,,,test',
  ]);
  const predictions = path.join(folder, 'predictions.ndjson');
  const common = ['--model', model, '--sampler', 'uniform', '--stride', '2', '--json'];

  const evaluated = await runCli([
    'evaluate',
    '--data',
    data,
    '--split',
    'test',
    '--predictions',
    predictions,
    ...common,
  ]);
  const journal = path.join(folder, 'journal');
  const watched = await runCli([
    'run',
    '--source',
    path.join(clips, 'long.mp4'),
    '--journal',
    journal,
    ...common,
  ]);

  expect(evaluated.code, evaluated.stderr).toBe(1);
  expect(evaluated.stderr).toMatch(/^FAILED broken.mp4: INPUT_INVALID: /m);
  const report = JSON.parse(evaluated.stdout) as EvaluationReport;
  expect(report.datasets['fir-action']).toMatchObject({ videos: 1, falls: 1 });
  expect(report.failed).toMatchObject([{ path: 'broken.mp4' }]);
  const seconds = (time = ''): number => Date.parse(time) / 1000;
  const episodes = (jsonLines(watched.stdout) as PublishedRecord[]).flatMap(({ type, payload }) =>
    type === 'action.event' && payload.state === 'ended'
      ? [{ label: payload.label, start_s: seconds(payload.started_at), end_s: seconds(payload.ended_at) }]
      : [],
  );
  expect(episodes.length).toBeGreaterThan(0);
  const [line] = jsonLines(await readFile(predictions, 'utf8')) as WatchedLine[];
  expect(line!.events.map(({ label, start_s, end_s }) => ({ label, start_s, end_s }))).toEqual(episodes);
}, 120_000);

test('a task that is no pair is refused before anything is opened', async () => {
  const { code, stdout, stderr } = await runCli([
    'evaluate',
    '--data',
    'x.csv',
    '--model',
    's3d-g',
    '--task',
    'site',
  ]);

  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('error USAGE: --task site: expected DATASET=NAME, e.g. site=fir-action');
}, 60_000);
