import path from 'node:path';
import { expect, test } from 'vitest';
import { resolveTask } from '../../src/lab/evaluation/resolve-task.ts';
import { taskOf } from '../../src/lab/evaluation/tasks.ts';
import { choose } from '../../tools/thresholds/choose.ts';
import { agreementWithDense, keepsDecisions } from '../../tools/thresholds/choose-delta.ts';
import { chooseThresholds } from '../../tools/thresholds/choose-thresholds.ts';
import { readPredictions, type PredictedVideo } from '../../tools/thresholds/predictions.ts';
import { replayEpisodes } from '../../tools/thresholds/replay-episodes.ts';
import { LABELS, saveModel, tinyModel, writeClips, writeManifest } from '../support/evaluation-clips.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { manifest } = tinyModel(LABELS);

const settled = (dataset: string) => resolveTask(taskOf(dataset), { labels: LABELS, backgroundId: 0 });

/** A window whose labels score 0.1, but for these. */
const windowAt = (start: number, scores: Readonly<Record<string, number>>) => ({
  ...{ segment: 0, start_s: start, end_s: start + 0.8 },
  scores: LABELS.map((label) => scores[label] ?? 0.1),
});

test('decisions: of a detection the side of its threshold, of a choice the best of its labels', () => {
  const tasks = new Map(['fight-surv', 'ut-interaction'].map((name) => [name, settled(name)]));
  const clips = (fight: number, hug: number) => [
    { dataset: 'fight-surv', path: 'f', windows: [windowAt(0, { fight: 0.6 }), windowAt(1, { fight })] },
    // What no task of a short clip asks about does not matter, however large.
    { dataset: 'ut-interaction', path: 'u', windows: [windowAt(0, { kick: 0.5, hug, fall: hug })] },
  ];

  const same = agreementWithDense(clips(0.4, 0.4), clips(0.49, 0.49), tasks);
  const other = agreementWithDense(clips(0.4, 0.4), clips(0.5, 0.51), tasks);

  expect([...same.values()]).toEqual([
    { windows: 2, same: 2 },
    { windows: 1, same: 1 },
  ]);
  expect([...other.values()]).toEqual([
    { windows: 2, same: 1 },
    { windows: 1, same: 0 },
  ]);
  expect([keepsDecisions(same, 1), keepsDecisions(other, 0.5)]).toEqual([true, false]);
  expect(() => agreementWithDense(clips(0, 0), clips(0, 0).slice(1), tasks)).toThrow('1 beside 2');
});

test('an event label alarms from the middle of the thresholds with the best F1, other labels from what is stated', () => {
  const scoreAt = (start: number): number => {
    if (start >= 4 && start < 7) return 0.65;
    // Nothing happens here, whatever a low threshold says.
    return start >= 20 && start < 23 ? 0.45 : 0.05;
  };
  const video: PredictedVideo = {
    ...{ dataset: 'fir-action', path: 'v', duration_s: 30, events: [] },
    truth: [{ labels: ['falling'], start_s: 4.2, end_s: 7 }],
    windows: Array.from({ length: 72 }, (_, n) => windowAt(n * 0.4, { fall: scoreAt(n * 0.4) })),
  };
  const tasks = new Map(
    ['fight-surv', 'ut-interaction', 'fir-action'].map((name) => [
      name,
      { settled: settled(name), toleranceS: 1.5 },
    ]),
  );

  const { thresholds, tried } = chooseThresholds([video], manifest, tasks);

  const found = tried.get('fall')!.map(({ on, figures }) => [on, figures.detected, figures.false_alarms]);
  expect(found).toEqual([
    [0.3, 1, 1],
    [0.4, 1, 1],
    [0.5, 1, 0],
    [0.6, 1, 0],
    [0.7, 0, 0],
    [0.8, 0, 0],
  ]);
  expect(thresholds).toMatchObject({
    fight: { on: 0.5, off: 0.45 },
    hug: { on: 0.7, off: 0.63 },
    fall: { on: 0.6, off: 0.54 },
  });
  // No walk in the video: nothing can be chosen for it.
  expect(thresholds).not.toHaveProperty('walk');
});

test('a model folder gets its δ and thresholds through evaluate, whose episodes the replay repeats', async () => {
  const folder = await temporaryDirectory();
  const at = (name: string): string => path.join(folder, name);
  await writeClips(at('clips'));
  const own = tinyModel(LABELS, { shares: true });
  const model = await saveModel(at('model'), own);
  const data = await writeManifest(at('clips'), [
    'fight-surv,forwards.mkv,fight,,,train',
    'ut-interaction,backwards.mkv,hug,,,train',
    'fir-action,long.mp4,falling,1,2,train',
    'fight-surv,gone.mp4,fight,,,test',
  ]);
  const options = { model, data, split: 'train', sceneSeeds: [1], out: at('out'), threads: 1 };

  const choice = await choose({ ...options, deltas: [0.1, 0.2], share: 0 });

  expect(choice.delta).toBe(0.2);
  expect([...choice.agreements.keys()]).toEqual([0.2]);
  expect(Object.keys(choice.thresholds)).toEqual(LABELS.filter((l) => l !== 'background'));
  const digest = own.manifest.weights.sha256.slice(0, 12);
  const kept = path.join(at('out'), `${digest}-train`, 'long-0.2.ndjson');
  const [video] = (await readPredictions(kept)).videos;
  expect(video!.events.length).toBeGreaterThan(0);
  expect(replayEpisodes(video!, own.manifest, own.manifest.thresholds!)).toEqual(
    video!.events.map(({ label, start_s: startS, end_s: endS }) => ({
      ...{ labelId: LABELS.indexOf(label), startS, endS },
    })),
  );
  // The second time it only reads.
  await expect(choose({ ...options, deltas: [0.2], share: 1.01 })).rejects.toThrow('no δ keeps 101 %');
  await expect(choose({ ...options, split: 'test', deltas: [0.2], share: 0 })).rejects.toThrow(
    'scenes are judged as fir-action',
  );
  // The video's fall, and one of a scene in each view.
  expect(choice.tried.get('fall')!.map(({ figures }) => figures.events)).toEqual([5, 5, 5, 5, 5, 5]);
});
