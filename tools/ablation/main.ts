import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { env } from 'node:process';
import { parseArgs } from 'node:util';
import { findModel } from '../../src/inference/weights/find-model.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { openModel } from '../../src/inference/worker/spec.ts';
import type { ScoredRun } from '../../src/lab/evaluation/agreement.ts';
import { scoreWindow, thresholdsOf, windowsOf } from '../../src/lab/harness/compare-windows.ts';
import { footageOfVideo } from '../../src/lab/harness/footage.ts';
import { casesOf, NETWORKS, SIMILARITIES, type AblationCase } from './cases.ts';
import { figuresOf, keyOf, type CaseFigures } from './figures.ts';
import { appendScored, compact, readScored, type ScoredVideo } from './store.ts';

/*
 * Agreement with the model's published network, all steps kept, on windows of videos that need no labels:
 *
 *     npm run ablation -- --model M --out results.json --grid 0.5,1 --global 0.1 VIDEO…
 *
 * Intervals draw videos. Cases that share a network reuse its lower stage on each window.
 */
const USAGE = `npm run ablation -- --model NAME|PATH --out FILE [options] VIDEO…
  --windows N        of each video the first so many (2)        --stride N      frames between windows (the model's own)
  --grid δ,…         δ of 7×7 cells                             --global δ,…    δ of the model's own embedding
  --min-steps N,…    floors of kept steps (1)                   --only REGEXP   cases by network and name, such as '^edges (uniform|grid, middle)'
  --scored FILE      windows as they were scored (FILE.scored.jsonl beside --out); a second run goes on from there`;

const { values, positionals: videos } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: '' },
    out: { type: 'string', default: '' },
    windows: { type: 'string', default: '2' },
    stride: { type: 'string' },
    grid: { type: 'string', default: '' },
    global: { type: 'string', default: '' },
    'min-steps': { type: 'string', default: '1' },
    only: { type: 'string', default: '.*' },
    scored: { type: 'string' },
  },
});
const { model: name, out } = values;
const path = findModel(name);
if (path === undefined || out === '' || videos.length === 0) throw new Error(`usage: ${USAGE}`);
const modelPath: string = path;
const scoredPath = values.scored ?? `${out.replace(/\.json$/, '')}.scored.jsonl`;
const numbers = (text: string): readonly number[] => text.split(',').filter(Boolean).map(Number);
const only = new RegExp(values.only);
const cases = casesOf({
  widths: { grid: numbers(values.grid), global: numbers(values.global) },
  minSteps: numbers(values['min-steps']),
}).filter((one) => only.test(keyOf(one)));
const signal = new AbortController().signal;

const scored = await readScored(scoredPath);
const engines = new Map<string, InferenceEngine>();
const published = await engineOf({ network: 'zeros', similarity: 'grid' });
for (const video of videos) {
  const known = scored.get(video);
  const missing = cases.filter((one) => !known?.cases[keyOf(one)]);
  if (missing.length > 0) {
    const found = await score(video, missing);
    const all = { ...found, cases: { ...known?.cases, ...found.cases } };
    scored.set(video, all);
    await appendScored(scoredPath, all);
  }
  process.stderr.write(`${basename(video)}: ${scored.get(video)?.blocks.length ?? 0} windows\n`);
}
const done = videos.flatMap((video) => scored.get(video) ?? []).filter(({ blocks }) => blocks.length > 0);
const rows = figuresOf(cases, done, thresholdsOf(published.info));
const names = done.map(({ video }) => basename(video));
await writeFile(
  out,
  `${JSON.stringify({ model: basename(name), videos: names, cases: rows }, undefined, 1)}\n`,
);
for (const row of rows) process.stdout.write(`${lineOf(row)}\n`);
for (const engine of engines.values()) await engine[Symbol.asyncDispose]();

async function score(video: string, wanted: readonly AblationCase[]): Promise<ScoredVideo> {
  const window = values.stride === undefined ? {} : { stride: Number(values.stride) };
  const sampler = { kind: 'none' } as const;
  const request = { footage: [footageOfVideo(video, window, env)], most: Number(values.windows), sampler };
  const dense: ScoredRun[] = [];
  const blocks: string[] = [];
  const runs = new Map(wanted.map((one) => [keyOf(one), [] as ScoredRun[]]));
  for await (const seen of windowsOf(request, published.info, signal)) {
    const each = async (engine: InferenceEngine, sampler: AblationCase['sampler']): Promise<ScoredRun> =>
      compact(await scoreWindow(engine, seen.dense, { sampler, as: '', signal }));
    dense.push(await each(published, { kind: 'none' }));
    blocks.push(seen.block);
    for (const one of wanted) runs.get(keyOf(one))?.push(await each(await engineOf(one), one.sampler));
  }
  return { video, blocks, dense, cases: Object.fromEntries(runs) };
}

async function engineOf(one: Pick<AblationCase, 'network' | 'similarity'>): Promise<InferenceEngine> {
  const key = `${one.network} ${one.similarity}`;
  const engine = engines.get(key) ?? (await open(one));
  engines.set(key, engine);
  return engine;
}

async function open({
  network,
  similarity,
}: Pick<AblationCase, 'network' | 'similarity'>): Promise<InferenceEngine> {
  const model = await openModel({
    kind: 'file',
    path: modelPath,
    network: NETWORKS[network],
    ...(similarity === 'grid' && { similarity: { kind: 'cells', grid: 7, top: 1 } as const }),
    sgsDefault: SIMILARITIES[similarity],
  });
  return createOnnxEngine({ model, threads: 1 });
}

/** For people. Times are left out: cases share what they compute. */
function lineOf({ network, case: label, windows, figures, above_uniform: above }: CaseFigures): string {
  const columns = (['cost', 'decisions', 'same', 'top1', 'kl'] as const).map((key) => {
    const { value, from, to } = figures[key];
    return `${key} ${value.toFixed(3)} [${from.toFixed(3)}, ${to.toFixed(3)}]`;
  });
  const { value = 0, from = 0, to = 0 } = above?.same ?? {};
  const beside = above
    ? `  same above uniform ${value.toFixed(3)} [${from.toFixed(3)}, ${to.toFixed(3)}]`
    : '';
  return `${network.padEnd(6)} ${label.padEnd(32)} ${windows}  ${columns.join('  ')}${beside}`;
}
