import { at } from '../../core/at.ts';
import { groupBy } from '../../core/group-by.ts';
import { monotonicMs } from '../../core/time.ts';
import type { InferenceEngine } from '../../inference/engine.ts';
import type { SamplerOptions } from '../../sampler/types.ts';
import {
  readLabelledFrames,
  type FrameReading,
  type LabelledFrames,
} from '../harness/read-labelled-frames.ts';
import { cutWindow } from '../harness/views.ts';
import { spreadWindows } from '../harness/windows.ts';
import { sha256OfFile, type FeatureStore } from './feature-store.ts';
import type { Lesson } from './lessons.ts';
import type { ClipFeatures, TeachObserver } from './types.ts';

export interface Extraction extends Omit<FrameReading, 'squares'> {
  /** A network without classifier: its outputs are the features. */
  readonly engine: InferenceEngine;
  /** The first keeps all steps. */
  readonly samplers: readonly SamplerOptions[];
  readonly store: FeatureStore;
  readonly observer: TeachObserver;
}

/** Windows of one clip: an hour of standing teaches no more than four glances at it. */
const MOST_WINDOWS = 4;

/**
 * Every clip through the backbone, or from the store; in the order of the lessons.
 * @throws ActionstreamError where a video cannot be read, or a clip lies behind its end
 */
export async function extractFeatures(
  lessons: readonly Lesson[],
  extraction: Extraction,
): Promise<readonly ClipFeatures[]> {
  const { store, observer, signal } = extraction;
  const known = new Map<Lesson, ClipFeatures>();
  const missing: { readonly lesson: Lesson; readonly video: string }[] = [];
  for (const [file, ofVideo] of groupBy(lessons, ({ clip }) => clip.path)) {
    signal.throwIfAborted();
    const video = await sha256OfFile(file);
    for (const lesson of ofVideo) {
      const features = await store.find(video, lesson.clip);
      if (features) known.set(lesson, features);
      else missing.push({ lesson, video });
    }
  }
  observer.onReady(lessons.length, known.size);

  const [cached, startedMs] = [known.size, monotonicMs()];
  for (const [file, ofVideo] of groupBy(missing, ({ lesson }) => lesson.clip.path)) {
    const clips = ofVideo.map(({ lesson }) => lesson.clip);
    for await (const shown of readLabelledFrames(file, clips, extraction)) {
      const { lesson, video } = at(ofVideo, clips.indexOf(shown.clip));
      const features = await featuresOfClip(shown, extraction);
      await store.keep(video, shown.clip, features);
      known.set(lesson, features);
      const computed = known.size - cached;
      const leftS = ((monotonicMs() - startedMs) / 1000 / computed) * (missing.length - computed);
      observer.onClip(known.size, lessons.length, leftS);
    }
  }
  return lessons.map((lesson) => {
    const features = known.get(lesson);
    if (!features) throw new RangeError(`${lesson.clip.name}: no features`);
    return features;
  });
}

/**
 * Windows spread evenly, about a clip's length apart, from the first frame on, as `run` begins; padded only
 * where the clip is shorter than one.
 * The samplers of a window share its lower stage: it is a stream of its own.
 */
async function featuresOfClip(
  { clip, frames }: LabelledFrames,
  { engine, samplers, signal }: Extraction,
): Promise<ClipFeatures> {
  const { frames: length, width, height, reuse } = engine.info;
  const count = Math.min(MOST_WINDOWS, Math.max(1, Math.round(frames.length / length)));
  const starts = count === 1 ? [0] : spreadWindows(frames.length, length, count);
  const outputs: { readonly features: Float32Array; readonly kept: number }[][] = samplers.map(() => []);
  for (const first of starts) {
    const window = cutWindow(frames, { first, length, view: { left: 0, top: 0 }, size: { width, height } });
    const id = `${clip.name}@${clip.startS ?? 0}/${first}`;
    const stream = { id, segment: 0, firstFrame: 0, before: new Uint8Array(0) };
    const pixels = { ...window, ...(reuse && { stream }) };
    try {
      for (const [index, sampler] of samplers.entries()) {
        const { logits, compute } = await engine.infer(pixels, { sampler, signal });
        outputs[index]?.push({ features: logits, kept: compute.keptSteps / compute.inputSteps });
      }
    } finally {
      engine.closeStream?.(id);
    }
  }
  const all = outputs.flat().map(({ features }) => features);
  const size = all[0]?.length ?? 0;
  const data = new Float32Array(all.length * size);
  all.forEach((features, index) => {
    data.set(features, index * size);
  });
  const kept = outputs.map((of) => of.reduce((sum, one) => sum + one.kept, 0) / of.length);
  return { samplers: samplers.length, windows: starts.length, size, data, kept };
}
