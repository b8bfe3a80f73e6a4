import { copyFile, cp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { TeachRecord } from '../../src/lab/teach/types.ts';
import { loadModel } from '../../src/inference/weights/load-model.ts';
import { runCli } from '../support/cli.ts';
import { saveModel, tinyModel } from '../support/evaluation-clips.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { fileDirectory } from '../support/temporary-directory.ts';

// A tiny backbone of random weights: its features still tell a moving pattern from a still one.

const folder = fileDirectory();
const at = (...names: readonly string[]): string => path.join(folder(), ...names);
const CAMERAS = [1, 2, 3, 4];

beforeAll(async () => {
  await saveModel(at('backbone'), tinyModel(['a', 'b']));
  for (const camera of CAMERAS) {
    const size = `size=${64 + 16 * camera}x64:rate=10`;
    await ffmpeg('-f', 'lavfi', '-i', `testsrc2=${size}`, '-t', '1', at(`moving${camera}.mp4`));
    await ffmpeg('-f', 'lavfi', '-i', `color=gray:${size}`, '-t', '2', at(`still${camera}.mp4`));
  }
});

const rows = CAMERAS.flatMap((camera) => [
  `site,moving${camera}.mp4,Pattern,,,train,cam-${camera}`,
  `site,still${camera}.mp4,none,0.5,1.8,train,cam-${camera}`,
]);

async function manifestOf(lines: readonly string[]): Promise<string> {
  const file = at('list.csv');
  await writeFile(file, ['dataset,path,label,start_s,end_s,split,group', ...lines, ''].join('\n'));
  return file;
}

async function teach(data: string, out: string, more: readonly string[] = []) {
  const flags = [
    '--backbone',
    at('backbone'),
    '--out',
    at(out),
    '--cache',
    at('features'),
    '--json',
    ...more,
  ];
  return runCli(['teach', '--data', data, '--split', 'train', ...flags]);
}

test('a taught model is a model; features are there for the next run, a damaged one is computed again', async () => {
  const data = await manifestOf(rows);

  const first = await teach(data, 'taught');
  const [shard = ''] = await readdir(at('features'));
  const [file = ''] = await readdir(at('features', shard));
  await copyFile(data, at('features', shard, file));
  const second = await teach(data, 'again', ['--id', 'taught', '--tolerance', '0.01']);
  const full = await teach(data, 'again');
  const inferred = await runCli(['infer', at('moving2.mp4'), '--model', at('taught'), '--json']);

  expect(first.code, first.stderr).toBe(0);
  expect(JSON.parse(first.stdout)).toMatchObject({
    ...{ model: 'taught', labels: ['background', 'Pattern'], clips: 8, groups: 4 },
    cross_validation: { auc: 1, accuracy: 1 },
  });
  expect(first.stderr).toMatch(/^8 clips, the features of 0 are there already$/m);
  expect(second.stderr).toMatch(/^8 clips, the features of 7 are there already$/m);
  expect(full).toMatchObject({ code: 2 });
  expect(full.stderr).toMatch(/again holds files already/);
  expect(await readFile(at('again', 'model.safetensors'))).toEqual(
    await readFile(at('taught', 'model.safetensors')),
  );
  expect((await readdir(at('taught'))).sort()).toEqual([
    ...['confusion.png', 'confusion.svg', 'manifest.json', 'model.safetensors', 'teach.json'],
  ]);
  const { manifest } = await loadModel(at('taught'));
  expect(manifest).toMatchObject({
    ...{ activation: 'sigmoid', background: 'background', sampler: { kind: 'ordered' } },
    network: { temporalEdge: 'edge', timeMeans: 'multiplicity', classes: 2 },
  });
  const record = JSON.parse(await readFile(at('taught', 'teach.json'), 'utf8')) as TeachRecord;
  expect(record.samplers.map(({ sampler }) => sampler.kind)).toEqual(['none', 'ordered', 'ordered']);
  expect(record.weak_points).toEqual([
    'Pattern: clips of 4 groups show it; so few say little of other cameras',
  ]);
  expect(record.samplers.map(({ auc }) => auc)).toEqual([1, 1, 1]);
  const [cheapest] = record.samplers.toSorted((a, b) => a.kept_ratio - b.kept_ratio);
  expect((await loadModel(at('again'))).manifest.sampler).toEqual(cheapest?.sampler);
  expect(inferred.code, inferred.stderr).toBe(0);
  expect(inferred.stdout).toContain('"Pattern"');
});

test('heads alone are some kilobytes, and find their backbone by its name', async () => {
  const data = await manifestOf(rows);
  const env = { XDG_DATA_HOME: at('user') };
  await cp(at('backbone'), at('user', 'actionstream', 'models', 'backbone'), { recursive: true });
  const flags = ['--data', data, '--cache', at('features'), '--heads-only', '--json'];

  const byPath = await runCli(['teach', ...flags, '--backbone', at('backbone'), '--out', at('by-path')]);
  const taught = await runCli(['teach', ...flags, '--backbone', 'backbone', '--out', at('heads')], env);
  const infer = ['infer', at('moving2.mp4'), '--model', at('heads'), '--json'];
  const inferred = await runCli(infer, env);
  const alone = await runCli(infer, { XDG_DATA_HOME: at('nobody') });

  expect(byPath).toMatchObject({ code: 2 });
  expect(byPath.stderr).toMatch(/--heads-only: a model of heads finds its backbone by name/);
  expect(taught.code, taught.stderr).toBe(0);
  expect((await stat(at('heads', 'model.safetensors'))).size).toBeLessThan(5000);
  expect(inferred.code, inferred.stderr).toBe(0);
  expect(inferred.stdout).toContain('"Pattern"');
  expect(alone).toMatchObject({ code: 2 });
  expect(alone.stderr).toMatch(
    /a head on backbone, which is not on this machine: fetch it once with "actionstream models pull backbone"/,
  );
});

test.each([
  [
    'a missing column',
    ['dataset,path', 'site,moving1.mp4'],
    /header has no column label; it has dataset, path/,
  ],
  [
    'missing files',
    ['dataset,path,label', 'site,moving1.mp4,wave', 'site,gone.mp4,none'],
    /1 of 2 videos are not there: gone\.mp4/,
  ],
  [
    'one label',
    ['dataset,path,label', 'site,moving1.mp4,wave', 'site,moving2.mp4,wave'],
    /all 2 clips of site show wave/,
  ],
  [
    'one group',
    ['dataset,path,label,group', 'site,moving1.mp4,wave,a', 'site,still1.mp4,none,a'],
    /all 2 clips of site are of the group a/,
  ],
])('%s is refused before anything is computed or written', async (_, lines, problem) => {
  const data = at('bad.csv');
  await writeFile(data, `${lines.join('\n')}\n`);

  const refused = await runCli(['teach', '--data', data, '--backbone', at('backbone'), '--out', at('bad')]);

  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(problem);
  expect((await readdir(folder())).filter((name) => name.startsWith('bad'))).toEqual(['bad.csv']);
});
