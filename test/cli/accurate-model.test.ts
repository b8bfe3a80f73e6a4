import { existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { findModel } from '../../src/inference/weights/find-model.ts';
import { readManifest } from '../../src/inference/weights/load-model.ts';
import { ROOT, runCli } from '../support/cli.ts';
import { ffmpeg } from '../support/lavfi.ts';
import { fileDirectory } from '../support/temporary-directory.ts';

// The heads ship, their backbone does not.

const MODEL = 'atfr-accurate';
const folder = fileDirectory();
const video = (): string => path.join(folder(), 'video.mp4');

beforeAll(() => ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=128x96:rate=25', '-t', '2', video()));

test('ships as heads of some kilobytes, with what they learned from and how well', async () => {
  const at = path.join(ROOT, 'models', MODEL);
  const names = await readdir(at);
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(at, name))).size));
  const manifest = await readManifest(at);
  const record = JSON.parse(await readFile(path.join(at, 'teach.json'), 'utf8')) as { labels: string[] };

  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(300_000);
  expect(manifest).toMatchObject({
    ...{ id: MODEL, activation: 'sigmoid', sampler: { kind: 'ordered' } },
    weights: { base: { model: 'i3d-kinetics400' } },
    network: { temporalEdge: 'edge', timeMeans: 'multiplicity' },
  });
  expect(manifest.labels).toContain('fight');
  expect(record.labels).toEqual(manifest.labels);
});

test('without the backbone it can be inspected, and infer names the command that fetches it', async () => {
  const nobody = { XDG_DATA_HOME: folder() };

  const inspected = await runCli(['models', 'inspect', MODEL, '--json'], nobody);
  const inferred = await runCli(['infer', video(), '--model', MODEL, '--json'], nobody);

  expect(inspected.code, inspected.stderr).toBe(0);
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    name: 'i3d',
    sampling: { after: 'Conv_2b', similarity: 'grid:7', temporal_edge: 'edge' },
  });
  expect(inferred.code).toBe(2);
  expect(inferred.stderr).toMatch(/"actionstream models pull i3d-kinetics400"/);
});

test('with the backbone of the user it scores its labels', async () => {
  if (!existsSync(findModel('i3d-kinetics400') ?? '')) {
    process.stderr.write('left out of test/cli/accurate-model.test.ts: i3d-kinetics400 is not pulled here\n');
    return;
  }

  const inferred = await runCli(['infer', video(), '--model', MODEL, '--json']);

  expect(inferred.code, inferred.stderr).toBe(0);
  expect(inferred.stdout).toContain('"fight"');
});
