import type { EngineInfo } from './engine.ts';
import type { Model } from './model.ts';

/** What an engine says about itself, as far as the model decides it. */
export function engineInfoOf(
  { manifest, digest, heads }: Pick<Model, 'manifest' | 'digest' | 'heads'>,
  {
    engine,
    device,
    warmupMs,
    notices = [],
  }: Pick<EngineInfo, 'engine' | 'device' | 'warmupMs'> & Partial<Pick<EngineInfo, 'notices'>>,
): EngineInfo {
  const { id, version, labels, background, clip, picture, sampler, thresholds, activation } = manifest;
  const { frames, height, width } = manifest.network;
  return {
    engine,
    device,
    notices,
    model: { id, version, digest },
    labels,
    ...(heads && { heads }),
    ...(background !== undefined && { backgroundId: labels.indexOf(background) }),
    frames,
    height,
    width,
    clip,
    ...(picture && { frameFit: picture }),
    ...(activation === 'none' && { embedding: true }),
    ...(activation === 'sigmoid' && { labelsStandAlone: true }),
    sampler,
    ...(thresholds && { thresholds }),
    warmupMs,
  };
}
