import type { EngineInfo } from '../inference/engine.ts';

/**
 * Frames before a clip that go with it so that overlapping clips share work; undefined where clips are inferred one by one:
 * the engine does not share, or clips begin between the time steps that could be shared.
 */
export function clipContext(
  { reuse, clip }: Pick<EngineInfo, 'reuse' | 'clip'>,
  stride = clip.stride,
): number | undefined {
  return reuse && stride % reuse.frameStep === 0 ? reuse.contextFrames : undefined;
}

/** Why clips of a stream are inferred one by one though sharing was asked for; undefined where they are not. */
export function whyOneByOne(
  { reuse, reuseUnsupported, clip }: Pick<EngineInfo, 'reuse' | 'reuseUnsupported' | 'clip'>,
  stride = clip.stride,
): string | undefined {
  if (!reuse) return reuseUnsupported;
  if (stride % reuse.frameStep === 0) return undefined;
  return `the stride of ${stride} frames is no multiple of the ${reuse.frameStep} frames between time steps`;
}
