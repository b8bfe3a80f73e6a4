import { setImmediate } from 'node:timers/promises';
import { monotonicMs } from '../../core/time.ts';
import type { Embeddings, SamplingPlan } from '../../sampler/types.ts';
import type { PixelClip } from '../engine.ts';
import { throwIfAborted } from '../serial-queue.ts';
import type { Member } from './gathering.ts';

interface Course {
  readonly clip: PixelClip;
  readonly signal: AbortSignal;
  /** T' before SGS. */
  readonly inputSteps: number;
  readonly planOf: (embeddings: Embeddings) => SamplingPlan;
}

/** What a clip of a batch gives; the times of the halves its member knows. */
interface ApartRun {
  readonly logits: Float32Array;
  readonly plan: SamplingPlan;
  readonly lowerMs: number;
  readonly samplerMs: number;
  readonly upperMs: number;
}

/** A clip of a batch that shares no steps with its stream's others. */
export async function runApart(
  member: Member,
  { clip, signal, inputSteps, planOf }: Course,
): Promise<ApartRun> {
  const times = { lowerMs: 0, samplerMs: 0, upperMs: 0 };
  if (member.whole) {
    const plan = planOf({ length: inputSteps, size: 0, data: new Float32Array() });
    return { ...times, plan, logits: await member.whole(clip.data) };
  }
  const { features, embeddings } = await member.halves.lower(clip.data, clip.frames, 'padded');
  // Lets an abort come through: a runtime may compute on this thread, and messages wait meanwhile.
  await setImmediate();
  throwIfAborted(signal);
  const samplingMs = monotonicMs();
  const plan = planOf(embeddings);
  const samplerMs = monotonicMs() - samplingMs;
  return { ...times, samplerMs, plan, logits: await member.halves.upper(features, plan) };
}
