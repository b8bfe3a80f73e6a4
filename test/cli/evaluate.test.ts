import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { EvaluationReport } from '../../src/lab/harness/types.ts';
import type { PublishedRecord } from '../../src/core/records.ts';
import { jsonLines, runCli } from '../support/cli.ts';
import { LABELS, saveModel, tinyModel, writeClips, writeManifest } from '../support/evaluation-clips.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { isClip } from '../support/runs.ts';
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
});

interface ClipLine {
  readonly score_labels: readonly string[];
  readonly windows: readonly {
    readonly start_s: number;
    readonly end_s: number;
    readonly kept_steps: number;
    readonly scores: readonly number[];
  }[];
  readonly compute: { readonly multiply_adds: number; readonly reused_multiply_adds: number };
}

test('a short clip has the windows, scores and costs of run on a file that holds nothing else', async () => {
  const folder = await temporaryDirectory();
  const at = (name: string): string => path.join(folder, name);
  const model = await saveModel(at('model'), tinyModel(LABELS, { shares: true }));
  // 27 frames: five windows of 8, one every 4, and three frames that only a
  // padded one holds. `part` is the last 18 of them.
  const source = ['-f', 'lavfi', '-i', 'mandelbrot=size=96x64:rate=10', '-frames:v', '27', '-c:v', 'ffv1'];
  await ffmpeg(...source, at('whole.mkv'));
  await ffmpeg(
    '-i',
    at('whole.mkv'),
    '-vf',
    'trim=start_frame=9,setpts=PTS-STARTPTS',
    '-c:v',
    'ffv1',
    at('part.mkv'),
  );
  const data = await writeManifest(folder, [
    'ut-interaction,whole.mkv,hug,,,test',
    'ut-interaction,whole.mkv,kick,0.9,2.7,test',
  ]);
  const common = ['--model', model, '--sampler', 'ordered', '--delta', '0.1', '--json'];
  const predictions = at('predictions.ndjson');

  const evaluated = await runCli(['evaluate', '--data', data, '--predictions', predictions, ...common]);
  const sources = ['--source', at('whole.mkv'), '--source', at('part.mkv')];
  const watched = await runCli(['run', ...sources, '--journal', at('journal'), ...common]);

  expect([evaluated.code, watched.code], evaluated.stderr + watched.stderr).toEqual([0, 0]);
  const records = (jsonLines(watched.stdout) as PublishedRecord[]).filter(isClip);
  const lines = jsonLines(await readFile(predictions, 'utf8')) as ClipLine[];
  expect(lines.map(({ windows }) => windows.length)).toEqual([6, 4]);
  for (const [index, { name, startS }] of [
    { name: 'whole', startS: 0 },
    { name: 'part', startS: 0.9 },
  ].entries()) {
    const stats = records.map(({ payload }) => payload).filter(({ stream_id: id }) => id.startsWith(name));
    const { windows, score_labels: labels, compute } = lines[index]!;
    const seconds = (time: string): number => Math.round(Date.parse(time) + startS * 1000) / 1000;
    expect(windows).toEqual(
      stats.map(({ clip_start: start, clip_end: end, scores, compute: { kept_steps } }, window) => ({
        segment: expect.any(Number) as number,
        ...{ start_s: seconds(start), end_s: seconds(end), kept_steps },
        // Records hold the best five.
        scores: windows[window]!.scores.map(
          (score, id) => scores.find(({ label }) => label === labels[id])?.score ?? score,
        ),
      })),
    );
    const sum = (of: (one: (typeof stats)[number]['compute']) => number | undefined): number =>
      stats.reduce((total, one) => total + (of(one.compute) ?? 0), 0);
    expect(compute.multiply_adds).toBe(sum((one) => one.multiply_adds));
    expect(compute.reused_multiply_adds).toBe(sum((one) => one.reused_multiply_adds));
    expect(compute.reused_multiply_adds).toBeGreaterThan(0);
  }
});

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
});
