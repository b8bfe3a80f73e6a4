import type { EngineInfo } from '../inference/engine.ts';

/**
 * Frames before a clip that go with it, so that overlapping clips reuse steps. Undefined where nothing is
 * reused: the engine does not reuse, or clips begin between the time steps of the lower stage.
 */
export function clipContext(
  { reuse, clip }: Pick<EngineInfo, 'reuse' | 'clip'>,
  stride = clip.stride,
): number | undefined {
  return reuse && stride % reuse.frameStep === 0 ? reuse.contextFrames : undefined;
}

/**
 * Why clips of a stream reuse nothing although reuse was asked for; undefined where they do, or it was
 * not.
 */
export function whyNoReuse(
  { reuse, reuseUnsupported, clip }: Pick<EngineInfo, 'reuse' | 'reuseUnsupported' | 'clip'>,
  stride = clip.stride,
): string | undefined {
  if (!reuse) return reuseUnsupported;
  if (stride % reuse.frameStep === 0) return undefined;
  return `the stride of ${stride} frames is no multiple of the ${reuse.frameStep} frames between time steps`;
}
