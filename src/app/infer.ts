import type { EngineInfo, InferenceResult } from '../inference/engine.ts';
import { clipContext } from '../pipeline/clip-context.ts';
import { createPixelPacker } from '../pipeline/pack-pixels.ts';
import { scoreUnchangedOnce } from '../pipeline/unchanged-clips.ts';
import type { AppContext } from './context.ts';
import { settingsOfFlags } from '../config/flag-settings.ts';
import { modelChoice, samplerOptions } from './model-choice.ts';
import { openEngine } from './open-engine.ts';
import { readClips, readPixels, type SourceAccess } from './read-clips.ts';

export interface InferRequest {
  /** A video, or a `.npy` of uint8 [T, H, W, 3]. */
  readonly file: string;
  /** Of a video that somebody serves. */
  readonly access: SourceAccess;
  readonly model: string;
  /** Given as flags, in the shape of the configuration file. */
  readonly settings: object;
}

export interface InferredClip {
  readonly info: EngineInfo;
  readonly result: InferenceResult;
  /** Absent for a clip that comes from no video. */
  readonly segment?: number;
  /** Since the first frame of the video, on over discontinuities. */
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * `infer`: each clip of a video, or one `.npy` clip, through the engine. Delivers nothing.
 * @param onReady called once, before the first clip
 */
export async function* inferClips(
  request: InferRequest,
  onReady: (info: EngineInfo) => void,
  context: AppContext,
): AsyncGenerator<InferredClip, void, undefined> {
  const { file, model } = request;
  const { network, sampler: asked, engine: where, window, seed = 0 } = settingsOfFlags(request.settings);
  const { signal } = context;
  const pixels = file.endsWith('.npy') ? await readPixels(file) : undefined;
  await using engine = await openEngine(
    modelChoice({ model, seed, network, sampler: asked, engine: where }, pixels),
    context,
  );
  const { info } = engine;
  const sampler = samplerOptions(asked, info.sampler);
  onReady(info);
  if (pixels) {
    const result = await engine.infer(pixels, { sampler, signal });
    yield { info, result, startMs: 0, endMs: (pixels.frames / (window.fps ?? info.clip.fps)) * 1000 };
    return;
  }
  const options = { env: context.env, access: request.access, ...window };
  const pack = createPixelPacker({ contextFrames: clipContext(info, window.stride), sampler });
  const scorer = scoreUnchangedOnce(engine);
  for await (const clip of readClips(file, info, options, signal)) {
    const result = await scorer.infer(pack(clip), { sampler, signal });
    const { segment, startedAtMs: startMs, endedAtMs: endMs } = clip;
    yield { info, result, segment, startMs, endMs };
  }
}
