import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { median } from '../src/core/median.ts';
import { messageOf } from '../src/core/errors.ts';
import { silentLogger } from '../src/core/logger.ts';
import { Resources } from '../src/core/resources.ts';
import type { InferenceEngine, PixelClip } from '../src/inference/engine.ts';
import type { EngineSpec } from '../src/inference/worker/spec.ts';
import { createWorkerEngine } from '../src/inference/worker/worker-engine.ts';
import { builtFile } from '../test/support/built.ts';

/**
 * Time of a dense clip of S3D-G on each engine, interleaved, each in a process
 * of its own; what is not here is named:
 *
 *     npx tsx bench/engines.ts [--frames 64] [--size 224] [--threads 2] [--rounds 5]
 *         [--engines onnx/cpu,tfjs/cpu]
 */
const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '64' },
    size: { type: 'string', default: '224' },
    threads: { type: 'string', default: String(availableParallelism()) },
    rounds: { type: 'string', default: '5' },
    engines: { type: 'string', default: 'onnx/cpu,onnx/cuda,tfjs/cuda,tfjs/cpu,tfjs/wasm' },
  },
});
const size = { frames: Number(values.frames), height: Number(values.size), width: Number(values.size) };
const data = Uint8Array.from(
  { length: size.frames * size.height * size.width * 3 },
  (_, i) => (i * 37) ^ (i >> 7),
);
const clip: PixelClip = { clipId: 'clip', ...size, data };

await using resources = new Resources();
const cases: { readonly name: string; readonly engine: InferenceEngine; readonly times: number[] }[] = [];
for (const name of values.engines.split(',')) {
  const engine = await openEngine(name).catch((error: unknown) => {
    console.log(`not here: ${messageOf(error)}`);
  });
  if (engine) cases.push({ name, engine: resources.add(engine), times: [] });
}
for (let round = 0; round < Number(values.rounds); round++) {
  for (const { engine, times } of cases) {
    const { compute } = await engine.infer(clip, { sampler: { kind: 'none' } });
    times.push(compute.lowerMs + compute.upperMs);
  }
}
console.log('engine (device)          ms a clip: median, range    ÷ the first');
for (const { name, engine, times } of cases) {
  const ratio = median(times) / median(cases[0]!.times);
  const range = `${median(times).toFixed(0)}  ${Math.min(...times).toFixed(0)}–${Math.max(...times).toFixed(0)}`;
  console.log(`${`${name} (${engine.info.device})`.padEnd(24)} ${range.padEnd(27)} ${ratio.toFixed(2)}`);
}

function openEngine(name: string): Promise<InferenceEngine> {
  const [engine, provider] = name.split('/') as [EngineSpec['engine'], NonNullable<EngineSpec['provider']>];
  const model = { kind: 'untrained', network: { ...size, variant: 's3d-g' }, seed: 5 } as const;
  const spec: EngineSpec = { engine, provider, model, threads: Number(values.threads) };
  return createWorkerEngine({ entryUrl: builtFile('inference/worker/entry.js'), spec, logger: silentLogger });
}
