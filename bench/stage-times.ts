import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { createOnnxEngine } from '../src/inference/engines/onnx/onnx-engine.ts';
import type { InferenceEngine, PixelClip } from '../src/inference/engine.ts';
import type { NetworkOptions } from '../src/inference/network/graph.ts';
import { createRandomStream } from '../src/inference/weights/random-stream.ts';
import { createUntrainedModel } from '../src/inference/weights/untrained-model.ts';
import type { SamplerOptions } from '../src/sampler/index.ts';

/*
 * Where a clip's time goes: the dense network as one graph against the same network cut at an SGS layer, and the time of
 * the two halves against the number of kept steps. Cases are interleaved round by round; medians are printed.
 *
 *   npx tsx bench/stage-times.ts --frames 64 --size 224 --width 1 --threads 2 --rounds 7
 *
 * CPU time counts all threads; with more than one, ONNX Runtime's spin-waiting counts too, so compare it at --threads 1.
 */
const { values } = parseArgs({
  options: {
    variant: { type: 'string', default: 's3d-g' },
    frames: { type: 'string', default: '64' },
    size: { type: 'string', default: '224' },
    width: { type: 'string', default: '1' },
    after: { type: 'string', default: 'Conv_2b' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '7' },
    strides: { type: 'string', default: '1,2,3,4,6,8,11,16,32' },
  },
});

const network = {
  variant: values.variant,
  frames: Number(values.frames),
  height: Number(values.size),
  width: Number(values.size),
  widthMultiplier: Number(values.width),
} satisfies Partial<NetworkOptions>;
const threads = Number(values.threads);
const clip = noiseClip();

interface Case {
  readonly name: string;
  readonly engine: InferenceEngine;
  readonly sampler: SamplerOptions;
  readonly samples: {
    readonly wallMs: number;
    readonly cpuMs: number;
    readonly lowerMs: number;
    readonly upperMs: number;
  }[];
  keptSteps: number;
}

await using whole = await openEngine({});
await using split = await openEngine({
  sgs: {
    after: values.after as 'Conv_2b',
    embedding: { kind: 'pooled', grid: 4 },
    boundary: 'nearest_complete',
  },
});
const cases: readonly Case[] = [
  newCase('one graph', whole, { kind: 'none' }),
  newCase('split, none', split, { kind: 'none' }),
  ...values.strides.split(',').map((stride) => {
    const sampler = { kind: 'uniform', stride: Number(stride) } as const;
    return newCase(`split, uniform ${stride}`, split, sampler);
  }),
];
for (let round = 0; round < Number(values.rounds); round++) {
  for (const one of cases) await measure(one);
}
print();

function openEngine(extra: Partial<NetworkOptions>): Promise<InferenceEngine> {
  const model = createUntrainedModel({ network: { ...network, ...extra }, seed: 1 });
  return createOnnxEngine({ model, threads });
}

function newCase(name: string, engine: InferenceEngine, sampler: SamplerOptions): Case {
  return { name, engine, sampler, samples: [], keptSteps: 0 };
}

async function measure(one: Case): Promise<void> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const { compute } = await one.engine.infer(clip, { sampler: one.sampler });
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  const { lowerMs, upperMs, keptSteps } = compute;
  one.keptSteps = keptSteps;
  one.samples.push({ wallMs, cpuMs: (user + system) / 1000, lowerMs, upperMs });
}

function print(): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  console.log(`${cpus()[0]?.model ?? 'CPU'} × ${cpus().length}, Node ${process.version}, commit ${commit}`);
  console.log(JSON.stringify({ ...network, after: values.after, threads, rounds: Number(values.rounds) }));
  console.log(
    'case                 kept  wall ms   [min]  CPU ms  lower ms  upper ms  wall / one graph  CPU / one graph',
  );
  const [base] = cases;
  for (const { name, keptSteps, samples } of cases) {
    const median = (key: keyof Case['samples'][number], of = samples): number =>
      medianOf(of.map((s) => s[key]));
    const columns = [
      name.padEnd(20),
      String(keptSteps).padStart(4),
      median('wallMs').toFixed(1).padStart(8),
      Math.min(...samples.map((s) => s.wallMs))
        .toFixed(1)
        .padStart(7),
      median('cpuMs').toFixed(1).padStart(7),
      median('lowerMs').toFixed(1).padStart(9),
      median('upperMs').toFixed(1).padStart(9),
      (median('wallMs') / median('wallMs', base?.samples)).toFixed(3).padStart(17),
      (median('cpuMs') / median('cpuMs', base?.samples)).toFixed(3).padStart(16),
    ];
    console.log(columns.join(' '));
  }
}

function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function noiseClip(): PixelClip {
  const { frames, height, width } = network;
  const random = createRandomStream(1, 'pixels');
  const data = Uint8Array.from({ length: frames * height * width * 3 }, () => random.word() & 255);
  return { clipId: 'noise', frames, height, width, data };
}
