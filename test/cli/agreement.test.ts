import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Calibration } from '../../src/lab/harness/calibrate.ts';
import type { Agreement } from '../../src/lab/evaluation/agreement.ts';
import { jsonLines, runCli } from '../support/cli.ts';
import { LABELS, saveModel, tinyModel, writeClips, writeManifest } from '../support/evaluation-clips.ts';

let folder: string;
let model: string;
let clips: string;
let data: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'agreement-'));
  clips = path.join(folder, 'clips');
  await writeClips(clips);
  await mkdir(path.join(folder, 'broken'));
  await rename(path.join(clips, 'broken.mp4'), path.join(folder, 'broken', 'broken.mp4'));
  model = await saveModel(path.join(folder, 'model'), tinyModel(LABELS, { shares: true }));
  data = await writeManifest(clips, [
    'fir-action,long.mp4,falling,3,4,test',
    'site,forwards.mkv,fight,,,test',
  ]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('evaluate --agreement', () => {
  test('of every step with itself is whole, on the windows of a folder', async () => {
    const found = await agreement(['--videos', clips, '--sampler', 'none']);

    expect(Object.keys(found)).toEqual([
      ...['windows', 'top1', 'decisions', 'mean_abs_score', 'kl'],
      ...['kept_ratio', 'multiply_adds_ratio', 'time_ratio'],
    ]);
    expect(found).toMatchObject({ top1: 1, decisions: 1, mean_abs_score: 0, kl: 0 });
    expect(found).toMatchObject({ kept_ratio: 1, multiply_adds_ratio: 1 });
    // 6 s in windows of 8 frames every 4, and one window each of the short clips.
    expect(found.windows).toBeGreaterThanOrEqual(15);
    expect(found.time_ratio).toBeGreaterThan(0);
  });

  test('of fewer steps costs less and says how far it is off; a list gives the same as its videos', async () => {
    const sampled = ['--sampler', 'ordered', '--delta', '1', '--representative', 'middle'];
    const all = await agreement(['--videos', clips, '--windows', '3', ...sampled]);
    const list = await agreement(['--data', data, '--split', 'test', '--windows', '3', ...sampled]);
    const network = [
      '--temporal-edge',
      'edge',
      '--similarity',
      'grid:2',
      '--min-steps',
      '2',
      '--sgs',
      'Conv_2b',
    ];
    const one = await agreement(['--data', data, '--dataset', 'site', ...sampled, ...network]);

    expect(all.kept_ratio).toBeLessThan(1);
    expect(all.multiply_adds_ratio).toBeLessThan(1);
    expect(all.mean_abs_score).toBeGreaterThan(0);
    expect(all.kl).toBeGreaterThan(0);
    expect(list.windows).toBe(all.windows - 1);
    expect(one.windows).toBe(1);
  });

  test.each([
    [[], /--agreement needs footage: --data LIST or --videos DIR/],
    [['--videos', 'absent'], /absent: cannot be read/],
    [['--data', 'DATA', '--dataset', 'none'], /holds no clip of none/],
  ])('%j says what is missing', async (args, problem) => {
    const given = args.map((arg) => (arg === 'DATA' ? data : arg));
    const { code, stderr } = await runCli(['evaluate', '--agreement', '--model', model, ...given]);

    expect(code).toBe(2);
    expect(stderr).toMatch(problem);
  });

  test('without it, evaluate still wants labelled clips', async () => {
    const { code, stderr } = await runCli(['evaluate', '--model', model]);

    expect(code).toBe(2);
    expect(stderr).toMatch(/name the labelled clips with --data/);
  });
});

describe('calibrate', () => {
  test('finds a δ that holds what is asked, and the figures of evaluate --agreement at it', async () => {
    const asked = ['--similarity', 'grid:2', '--temporal-edge', 'edge', '--representative', 'middle'];
    const long = path.join(clips, 'long.mp4');
    const loose = await calibrate([long, '--agreement', '0.5', ...asked]);
    const strict = await calibrate([long, '--agreement', '1', ...asked]);
    const again = await agreement([
      '--data',
      data,
      '--dataset',
      'fir-action',
      '--sampler',
      'ordered',
      '--delta',
      String(loose.delta),
      ...asked,
    ]);

    expect(Object.keys(loose)).toEqual([
      'delta',
      'agreement',
      'agreement_low',
      'multiply_adds_ratio',
      'windows',
    ]);
    expect(loose.delta).toBeGreaterThan(strict.delta);
    // Random weights leave scores a hair beside their thresholds: even δ 0 may not hold all.
    expect(strict.agreement).toBeGreaterThan(loose.agreement);
    expect(strict.agreement_low).toBeLessThan(1);
    expect(loose.agreement).toBeGreaterThanOrEqual(0.5);
    expect(loose.multiply_adds_ratio).toBeLessThan(strict.multiply_adds_ratio);
    expect(again.windows).toBe(loose.windows);
    expect(again.decisions).toBeCloseTo(loose.agreement, 9);
    expect(again.multiply_adds_ratio).toBeCloseTo(loose.multiply_adds_ratio, 9);
  });

  test('refuses a sampler without δ, and a share that is none', async () => {
    const long = path.join(clips, 'long.mp4');
    const uniform = await runCli(['calibrate', long, '--model', model, '--sampler', 'uniform']);
    const share = await runCli(['calibrate', long, '--model', model, '--agreement', '98']);

    expect(uniform).toMatchObject({ code: 2 });
    expect(uniform.stderr).toMatch(/--sampler uniform has no δ to calibrate/);
    expect(share.stderr).toMatch(/a number above 0 and at most 1/);
  });
});

async function agreement(args: readonly string[]): Promise<Agreement> {
  const { code, stdout, stderr } = await runCli([
    'evaluate',
    '--agreement',
    '--model',
    model,
    '--json',
    ...args,
  ]);
  expect(code, stderr).toBe(0);
  const last = jsonLines(stdout).at(-1) as { agreement: Agreement };
  return last.agreement;
}

async function calibrate(args: readonly string[]): Promise<Calibration> {
  const { code, stdout, stderr } = await runCli(['calibrate', '--model', model, '--json', ...args]);
  expect(code, stderr).toBe(0);
  return jsonLines(stdout).at(-1) as Calibration;
}
