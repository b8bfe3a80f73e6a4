import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadModel } from '../../src/inference/weights/load-model.ts';
import { modelCases, studyCases, type Case } from './cases.ts';
import { readOptions, type StudyOptions } from './options.ts';
import { openCase, predictCase } from './predict.ts';
import { writeReport } from './report.ts';
import { keyOf, type CaseResult } from './results.ts';
import { measureTimes, type CaseTime } from './times.ts';
import { trainNetworks } from './train.ts';
import { readTestVideos } from './videos.ts';
import { readWindows } from './windows.ts';

/*
 * The trade-off study, docs/study.md. `npm run study` trains small networks alike, runs them over the test
 * videos in every way of cases.ts, measures times, and writes table and plots. Each phase continues from what
 * is there. With `--model models/NAME` it asks the same of that model and trains nothing.
 */
const options = readOptions(process.argv.slice(2));
const manifest = path.join(options.data, 'manifest.csv');

if (options.model === undefined && options.phases.has('train')) await trainNetworks(options);
const cases = await casesOf(options);
const [first] = cases;
if (!first) throw new Error(`no trained network in ${options.models}: run the phase "train" first`);
const videos = await readTestVideos(manifest, options.split);
const windows = await decodeFor(first);
if (options.phases.has('time')) await measure(options.phases.size === 1);
const times = await readTimes();
const results: CaseResult[] = [];
if (options.phases.has('predict') || options.phases.has('report')) {
  for (const [index, one] of cases.entries()) {
    const prediction = await predictCase(one, windows, {
      folder: path.join(options.out, 'predictions'),
      split: options.split,
      threads: options.threads,
      knownOnly: !options.phases.has('predict'),
    });
    const time = times[keyOf({ case: one })];
    if (prediction) results.push({ case: one, prediction, ...(time && { time }) });
    process.stderr.write(`\r${index + 1} of ${cases.length} runs over ${videos.length} videos`);
  }
  process.stderr.write('\n');
}
if (options.phases.has('report')) await writeReport(results, videos, options);

/** Only what is trained: a case counts once all seeds of it are there. */
async function casesOf({ model, models, seeds }: StudyOptions): Promise<readonly Case[]> {
  if (model !== undefined) {
    const { network, sampler } = (await loadModel(model)).manifest;
    if (!network.sgs) throw new Error(`${model} has no SGS layer: there is no trade-off to measure`);
    return modelCases(model, network.sgs, sampler);
  }
  const all = seeds.flatMap((seed) => studyCases(models, seed));
  const isTrained = (one: Case): boolean => existsSync(path.join(one.model, 'manifest.json'));
  const waiting = new Set(all.filter((one) => !isTrained(one)).map((one) => keyOf({ case: one })));
  if (waiting.size > 0) process.stderr.write(`${waiting.size} cases wait for networks in training\n`);
  return all.filter((one) => !waiting.has(keyOf({ case: one })));
}

async function decodeFor(one: Case) {
  await using engine = await openCase(one, options.threads);
  const stride = options.longStride ?? engine.info.clip.stride;
  return await readWindows(videos, engine.info, stride, new AbortController().signal);
}

async function measure(again: boolean): Promise<void> {
  const ofFirstSeed = cases.filter((one) => one.seed === first!.seed);
  const known = await readTimes();
  const missing = ofFirstSeed.filter((one) => known[keyOf({ case: one })] === undefined);
  if (missing.length === 0 && !again) return;
  const measured = await measureTimes(ofFirstSeed, windows, {
    rounds: options.rounds,
    threads: options.threads,
  });
  const entries = ofFirstSeed.map((one, index) => [keyOf({ case: one }), measured[index]] as const);
  await mkdir(options.out, { recursive: true });
  await writeFile(timesFile(), JSON.stringify(Object.fromEntries(entries), null, 1));
}

async function readTimes(): Promise<Readonly<Record<string, CaseTime>>> {
  if (!existsSync(timesFile())) return {};
  return JSON.parse(await readFile(timesFile(), 'utf8')) as Record<string, CaseTime>;
}

function timesFile(): string {
  return path.join(options.out, `times-${options.name}.json`);
}
