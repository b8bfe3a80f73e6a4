import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { env } from 'node:process';
import { parseArgs } from 'node:util';
import { findModel } from '../../src/app/find-model.ts';
import { scoreWindow, thresholdsOf, windowsOf } from '../../src/lab/harness/compare-windows.ts';
import { agreementOf, decisionsAtLeast, type ComparedWindow } from '../../src/lab/evaluation/agreement.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import { createOnnxEngine } from '../../src/inference/engines/onnx/onnx-engine.ts';
import { openModel } from '../../src/inference/worker/spec.ts';
import { casesOf, NETWORKS, SIMILARITIES, type AblationCase } from './cases.ts';

/**
 * Agreement with the model's published network, all steps kept, on windows of videos that need no labels:
 *
 *     npx tsx tools/ablation/main.ts --model M --out results.json --windows 2 --stride 64 \
 *         --grid 0.5,1 --global 0.1 VIDEO…
 *
 * Cases that share a network reuse its lower stage on each window. A file of
 * results is written after every video.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string' },
    out: { type: 'string' },
    windows: { type: 'string', default: '2' },
    stride: { type: 'string' },
    grid: { type: 'string', default: '' },
    global: { type: 'string', default: '' },
    only: { type: 'string', default: '.*' },
  },
});
const { model: name = '', out = '' } = values;
const path = findModel(name);
if (path === undefined || out === '' || positionals.length === 0) {
  throw new Error(
    'usage: --model NAME|PATH --out FILE [--windows N] [--stride N] [--grid δ,…] [--global δ,…] VIDEO…',
  );
}
const numbers = (text: string): readonly number[] => text.split(',').filter(Boolean).map(Number);
const only = new RegExp(values.only);
const cases = casesOf({ grid: numbers(values.grid), global: numbers(values.global) }).filter(
  (one) => one.name === 'dense' || only.test(`${one.network} ${one.name}`),
);
const signal = new AbortController().signal;
const engines = new Map<string, InferenceEngine>();
for (const one of cases) {
  if (!engines.has(keyOf(one))) engines.set(keyOf(one), await open(one));
}
const published = engines.get('zeros grid');
if (!published) throw new Error('the published network is among the cases');

const windows = new Map(cases.map((one) => [one, [] as ComparedWindow[]]));
for (const video of positionals) {
  const window = values.stride === undefined ? {} : { stride: Number(values.stride) };
  const request = { videos: [video], window, most: Number(values.windows) };
  for await (const seen of windowsOf(request, published.info, { env, signal })) {
    const dense = await scoreWindow(published, seen, { sampler: { kind: 'none' }, as: '', signal });
    for (const one of cases) {
      const engine = engines.get(keyOf(one));
      if (!engine) continue;
      const sampled = await scoreWindow(engine, seen, { sampler: one.sampler, as: '', signal });
      windows.get(one)?.push({ block: seen.block, dense, sampled });
    }
  }
  await save();
}
for (const engine of engines.values()) await engine[Symbol.asyncDispose]();

function keyOf({ network, similarity }: AblationCase): string {
  return `${network} ${similarity}`;
}

async function open({ network, similarity }: AblationCase): Promise<InferenceEngine> {
  const model = await openModel({
    kind: 'file',
    path: path ?? '',
    network: NETWORKS[network],
    ...(similarity === 'grid' && { similarity: { kind: 'cells', grid: 7, top: 1 } as const }),
    sgsDefault: SIMILARITIES[similarity],
  });
  return createOnnxEngine({ model, threads: 1 });
}

/** Times are left out: cases share what they compute. */
async function save(): Promise<void> {
  const thresholds = thresholdsOf(published?.info ?? { labels: [] });
  const rows = cases.map((one) => {
    const seen = windows.get(one) ?? [];
    const {
      windows: count,
      top1,
      decisions,
      mean_abs_score,
      kl,
      kept_ratio,
      multiply_adds_ratio,
    } = agreementOf(seen, thresholds);
    const figures = { windows: count, top1, decisions, mean_abs_score, kl, kept_ratio, multiply_adds_ratio };
    const low = decisionsAtLeast(seen, thresholds, 0);
    return { network: one.network, case: one.name, ...figures, decisions_low: low };
  });
  await writeFile(
    out,
    `${JSON.stringify({ model: name, videos: positionals.map((video) => basename(video)), cases: rows }, undefined, 2)}\n`,
  );
  for (const row of rows) {
    const {
      network,
      case: label,
      windows: count,
      top1,
      decisions,
      kl,
      kept_ratio: kept,
      multiply_adds_ratio: cost,
    } = row;
    const figures = [top1, decisions, kl, kept, cost].map((value) => value.toFixed(3)).join('  ');
    process.stdout.write(`${network.padEnd(6)} ${label.padEnd(24)} ${count}  ${figures}\n`);
  }
}
