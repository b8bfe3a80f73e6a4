import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActionEvent } from '../../src/core/records.ts';
import { runCli } from '../support/cli.ts';
import { headed, saveModel } from '../support/evaluation-clips.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { demandNoLeftovers } from '../support/leftovers.ts';
import { endRuns, isClip, isEvent, recordsOf, startRun, writeConfig } from '../support/runs.ts';
import { fileDirectory } from '../support/temporary-directory.ts';

// Two taught models of one backbone in one run: each stream has the labels of its own models, and a
// clip costs one pass.

demandNoLeftovers();
afterAll(endRuns);
const folder = fileDirectory();
const at = (name: string): string => path.join(folder(), name);

beforeAll(async () => {
  await saveModel(at('fights'), headed(['background', 'fight'], 1));
  await saveModel(at('falls'), headed(['background', 'fall', 'lie_down'], 2));
  await saveModel(at('again'), headed(['fight'], 3));
  await ffmpeg('-f', 'lavfi', '-i', 'mandelbrot=size=96x64:rate=10', '-t', '3', at('video.mp4'));
});

let runs = 0;

/** Every label that may become an event does, from the first clip on. */
function settingsOf(streams: readonly object[], model = {}): object {
  return {
    ...{ model, journal: { dir: at(`journal-${runs++}`) }, engine: { processes: 1 } },
    events: { on: 0, off: 0, min_duration: '0s' },
    streams: streams.map((stream) => ({ url: at('video.mp4'), ...stream })),
  };
}

async function recordsOfRun(name: string, settings: object): ReturnType<typeof recordsOfConfig> {
  return recordsOfConfig(await writeConfig(folder(), settings, `${name}.yaml`));
}

async function recordsOfConfig(config: string) {
  const run = startRun(['run', config, '--json']);
  const { code, stderr } = await run.done;
  expect(code, stderr).toBe(0);
  return recordsOf(run);
}

test('heads of several models share one pass of the backbone, each with its labels', async () => {
  const models = { one: [at('fights')], other: [at('falls')], both: [at('fights'), at('falls')] };
  const streams = Object.entries(models).map(([id, own]) => ({ id, models: own }));

  const shared = await recordsOfRun(
    'shared',
    settingsOf([...streams, { id: 'plain' }], { path: at('falls') }),
  );
  const alone = await recordsOfRun('alone', settingsOf([{ id: 'one' }], { path: at('fights') }));

  const labelsOf = (id: string): readonly string[] => [
    ...new Set(
      shared.filter(isEvent).flatMap(({ payload }) => (payload.stream_id === id ? [payload.label] : [])),
    ),
  ];
  expect(labelsOf('one')).toEqual(['fight']);
  expect(labelsOf('other')).toEqual(['fall', 'lie_down']);
  expect(labelsOf('both')).toEqual(['fight', 'fall', 'lie_down']);
  expect(labelsOf('plain')).toEqual(['fall', 'lie_down']);

  const costOf = (records: typeof shared, id: string): readonly number[] =>
    records
      .filter(isClip)
      .flatMap(({ payload }) => (payload.stream_id === id ? [payload.compute.dense_multiply_adds] : []));
  const [pass = 0] = costOf(alone, 'one');
  const [both = 0] = costOf(shared, 'both');
  expect(pass).toBeGreaterThan(0);
  expect(both / pass).toBeLessThan(1.001);

  const scoresOf = (records: typeof shared): readonly ActionEvent['score'][] =>
    records
      .filter(isEvent)
      .flatMap(({ payload }) =>
        payload.stream_id === 'one' && payload.state === 'ended' ? [payload.score] : [],
      );
  expect(scoresOf(shared)).toHaveLength(1);
  expect(scoresOf(shared)).toEqual(scoresOf(alone));
});

test.each([
  ['models that share a label', ['fights', 'again'], {}, /of-fight, of-fight: .* both have the label fight/],
  [
    'a label of another stream',
    ['fights'],
    { events: { allow: ['fall'] } },
    /no label "fall" in .*fights; there are fight/,
  ],
  ['a model that is not there', ['fights', 'gone'], {}, /gone: no such model folder/],
])('%s: refused before anything runs', async (_, names, stream, problem) => {
  const streams = [
    { id: 'one', models: names.map(at), ...stream },
    { id: 'two', models: [at('falls')] },
  ];
  const config = await writeConfig(folder(), settingsOf(streams), 'bad.yaml');

  const refused = await runCli(['run', config, '--json']);

  expect(refused.code, refused.stderr).toBe(2);
  expect(refused.stderr).toMatch(problem);
});
