import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { DEFAULT_ON } from '../../config/index.ts';
import type { ScoredRun } from '../evaluation/agreement.ts';
import type { EngineInfo, InferenceEngine, PixelClip } from '../../inference/engine.ts';
import { createPixelPacker } from '../../pipeline/pack-pixels.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import { clipContext } from '../../pipeline/clip-context.ts';
import type { Footage } from './footage.ts';

export interface WindowsRequest {
  readonly footage: readonly Footage[];
  /** Of each video or stream the first so many windows; absent: all. */
  readonly most?: number;
}

export interface FootageWindow {
  /** Every frame as it is. */
  readonly dense: PixelClip;
  /** As the sampler sees it: an earlier frame may stand for a still one. */
  readonly sampled: PixelClip;
  /** Windows of one block overlap: see ComparedWindow. */
  readonly block: string;
}

/**
 * The windows that `run` would make of each footage under the sampler. Pixels are valid until the next
 * window is asked for.
 */
export async function* windowsOf(
  { footage, most = Infinity, sampler }: WindowsRequest & { readonly sampler: SamplerOptions },
  info: EngineInfo,
  signal: AbortSignal,
): AsyncGenerator<FootageWindow, void, undefined> {
  for (const { name, stride, ...source } of footage) {
    const contextFrames = clipContext(info, stride);
    const dense = createPixelPacker({ contextFrames, sampler: { kind: 'none' } });
    const sampled = createPixelPacker({ contextFrames, sampler });
    let windows = 0;
    for await (const clip of source.clips(info, signal)) {
      const block = `${name} ${clip.segment} ${Math.floor(clip.framesBefore / info.frames)}`;
      yield { dense: dense(clip), sampled: sampled(clip), block };
      windows += 1;
      if (windows >= most) break;
    }
  }
}

/**
 * A window scored under a sampler. Its stream is cached under `as`: a second sampler under the same name
 * reuses the lower stage of the first. Both must see the same pixels then.
 */
export async function scoreWindow(
  engine: InferenceEngine,
  clip: PixelClip,
  {
    sampler,
    as,
    signal,
  }: { readonly sampler: SamplerOptions; readonly as: string; readonly signal: AbortSignal },
): Promise<ScoredRun> {
  const { stream } = clip;
  const named = stream ? { ...clip, stream: { ...stream, id: `${stream.id} ${as}` } } : clip;
  const { scores, logits, compute } = await engine.infer(named, { sampler, signal });
  const { keptSteps, inputSteps, lowerMs, samplerMs, upperMs, denseMultiplyAdds } = compute;
  const alone =
    sampler.kind === 'none' ? denseMultiplyAdds : compute.multiplyAdds + compute.reusedMultiplyAdds;
  return { scores, logits, keptSteps, inputSteps, multiplyAdds: alone, ms: lowerMs + samplerMs + upperMs };
}

/** The threshold of each label: the model's own, else what `run` takes. */
export function thresholdsOf({
  labels,
  thresholds,
}: Pick<EngineInfo, 'labels' | 'thresholds'>): readonly number[] {
  return labels.map((label) => thresholds?.[label]?.on ?? DEFAULT_ON);
}

const VIDEO = /\.(mp4|mkv|avi|mov|webm|mpg|mpeg|ts|m4v|flv|wmv)$/i;

/** Every video file below a folder, in order of their names. @throws ActionstreamError INPUT_INVALID */
export async function videosIn(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder, { recursive: true });
    const videos = names.filter((name) => VIDEO.test(name)).sort();
    if (videos.length > 0) return videos.map((name) => path.join(folder, name));
  } catch (error) {
    throw new ActionstreamError('INPUT_INVALID', `${folder}: cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  throw new ActionstreamError(
    'INPUT_INVALID',
    `${folder}: holds no video; expected files such as .mp4, .mkv or .avi`,
  );
}

/** A network with scores is what can agree. @throws ActionstreamError USAGE */
export function refuseEmbedding({ embedding, model }: Pick<EngineInfo, 'embedding' | 'model'>): void {
  if (!embedding) return;
  const problem = `${model.id} gives an embedding, not scores: there are no decisions to compare`;
  throw new ActionstreamError('USAGE', problem);
}
