import { readFileSync, writeFileSync } from 'node:fs';
import { monotonicMs } from '../../core/time.ts';
import { messageOf } from '../../core/errors.ts';
import { createOnnxEngine } from '../../inference/engines/onnx/onnx-engine.ts';
import { profileStages } from '../../inference/engines/onnx/profile-stages.ts';
import { createUntrainedModel } from '../../inference/weights/untrained-model.ts';
import type { SamplerOptions } from '../../sampler/index.ts';
import { median } from '../../core/median.ts';
import type { Visit, VisitRequest } from './types.ts';

// The program of one measuring process, started by visit-network.ts: one network, alone in its memory.
process.once('message', (request) => {
  visit(request as VisitRequest).then(
    (answer) => process.send?.({ answer }, () => process.exit()),
    (error: unknown) => process.send?.({ error: messageOf(error) }, () => process.exit(1)),
  );
});

const PROFILED_CLIPS = 3;

async function visit({ network, stride, threads, clips, profile }: VisitRequest): Promise<Visit> {
  const model = createUntrainedModel({ network, seed: 1 });
  const { frames, height, width } = model.manifest.network;
  const sampler: SamplerOptions = stride === undefined ? { kind: 'none' } : { kind: 'uniform', stride };
  const times: number[] = [];
  let peakMiB: number;
  {
    await using engine = await createOnnxEngine({ model, threads, reuse: null });
    const clip = { clipId: 'noise', frames, height, width, data: noise(frames * height * width * 3) };
    await engine.infer(clip, { sampler });
    forgetPeak();
    for (let i = 0; i < clips; i++) {
      const started = monotonicMs();
      await engine.infer(clip, { sampler });
      times.push(monotonicMs() - started);
    }
    peakMiB = readPeakMiB();
  }
  const ms = median(times);
  if (!profile) return { ms, peakMiB };
  return { ms, peakMiB, stages: await profileStages(model, { clips: PROFILED_CLIPS, threads }) };
}

function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24);
}

/**
 * Making random weights takes more memory than running them: what came before
 * does not count where Linux lets us say so.
 */
function forgetPeak(): void {
  globalThis.gc?.();
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Elsewhere the peak of the whole life of the process is reported.
  }
}

function readPeakMiB(): number {
  try {
    const [, kib] = /VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kib !== undefined) return Number(kib) / 1024;
  } catch {
    // No /proc: not Linux.
  }
  return process.resourceUsage().maxRSS / 1024;
}
