import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import type { EngineSpec } from '../../../src/inference/worker/spec.ts';
import { createWorkerEngine } from '../../../src/inference/worker/worker-engine.ts';
import { builtFile } from '../../support/built.ts';
import { descendantsOf } from '../../support/processes.ts';

const SIZE = { frames: 16, height: 64, width: 64 } as const;
const SGS = { after: 'Conv_2b', embedding: { kind: 'pooled', grid: 2 }, boundary: 'as_is' } as const;
const NETWORK = { ...SIZE, variant: 's3d-g', classes: 5, widthMultiplier: 0.125, sgs: SGS };
const PIXELS = Uint8Array.from({ length: 2 * 16 * 64 * 64 * 3 }, (_, i) => (i * 37) ^ (i >> 5));

const CLIPS = 200;
/** What 200 clips would leave if the first activation of each were kept. */
const LEAK_MB = 52;
const ROUNDS = 6;

// The long form: bench/engine-memory.ts, 10,000 clips. A heap grows in steps of its own at any time; a leak
// grows in every round.
test.each(['onnx', 'tfjs'] as const)('clips do not make the process of %s grow', async (engine) => {
  const spec: EngineSpec = { engine, model: { kind: 'untrained', network: NETWORK, seed: 5 }, threads: 1 };
  const entryUrl = builtFile('inference/worker/entry.js');
  await using worker = await createWorkerEngine({ entryUrl, spec, logger: silentLogger });
  const [child] = (await descendantsOf(process.pid)).filter(({ command }) => command.includes('entry.js'));
  const inferClips = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      const data = PIXELS.subarray(n, n + PIXELS.length / 2);
      const sampler = { kind: 'ordered', width: 0.05 * (n % 9), distance: 'l2' } as const;
      await worker.infer({ clipId: `clip-${n}`, ...SIZE, data }, { sampler });
    }
  };

  await inferClips(CLIPS / 2);
  const grownMb: number[] = [];
  for (let round = 0; round < ROUNDS && Math.min(...grownMb) > LEAK_MB / 2; round++) {
    const before = residentMegabytes(child!.pid);
    await inferClips(CLIPS);
    grownMb.push(residentMegabytes(child!.pid) - before);
  }

  expect(Math.min(...grownMb)).toBeLessThan(LEAK_MB / 2);
});

function residentMegabytes(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
