import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { silentLogger } from '../src/core/logger.ts';
import type { EngineKind, Provider } from '../src/inference/engine-choice.ts';
import { createRandomStream } from '../src/inference/weights/random-stream.ts';
import { createWorkerEngine } from '../src/inference/worker/worker-engine.ts';
import { builtFile } from '../test/support/built.ts';
import { descendantsOf } from '../test/support/processes.ts';

/**
 * Memory of an engine's process, and of ours, while many clips of changing content pass (so that plans differ):
 *
 *     npx tsx bench/engine-memory.ts [--engine onnx] [--provider cpu] [--clips 10000]
 */
const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'onnx' },
    provider: { type: 'string' },
    clips: { type: 'string', default: '10000' },
  },
});
const SIZE = { frames: 8, height: 32, width: 32 } as const;
const SGS = { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 2 }, boundary: 'as_is' } as const;
const network = { ...SIZE, variant: 's3d-g', classes: 5, widthMultiplier: 0.07, sgs: SGS };

await using engine = await createWorkerEngine({
  entryUrl: builtFile('inference/worker/entry.js'),
  spec: {
    engine: values.engine as EngineKind,
    model: { kind: 'untrained', network, seed: 5 },
    threads: 1,
    ...(values.provider !== undefined && { provider: values.provider as Provider }),
  },
  logger: silentLogger,
});
const [child] = (await descendantsOf(process.pid)).filter(({ command }) => command.includes('entry.js'));
const random = createRandomStream(7, 'pixels');
const noise = Uint8Array.from({ length: 4 * SIZE.frames * SIZE.height * SIZE.width * 3 }, () =>
  Math.max(0, Math.min(255, 128 + 50 * random.normal())),
);
const bytes = noise.length / 4;

console.log(`${values.engine} on ${engine.info.device}: MB of its process, of ours`);
const clips = Number(values.clips);
for (let n = 1; n <= clips; n++) {
  const from = (n * 97) % (noise.length - bytes);
  const data = noise.subarray(from, from + bytes);
  const sampler = { kind: 'ordered', width: 0.05 * (n % 9), distance: 'l2' } as const;
  await engine.infer({ clipId: `clip-${n}`, ...SIZE, data }, { sampler });
  if ([1, 10, 100, 1000, clips].includes(n))
    console.log(`after ${n} clips: ${rssOf(child!.pid)}, ${rssOf(process.pid)}`);
}

function rssOf(pid: number): string {
  const kilobytes = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
  return (kilobytes / 1024).toFixed(0);
}
