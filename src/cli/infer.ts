import { DEFAULT_MODEL } from '../inference/model.ts';
import type { Command } from 'commander';
import type { Clip } from '../core/frame.ts';
import type { EngineInfo, InferenceEngine, InferenceResult, PixelClip } from '../inference/engine.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine } from './io.ts';
import { clipContext } from '../app/clip-context.ts';
import {
  modelChoice,
  samplerFromFlags,
  type EngineFlags,
  type ModelChoice,
  type NetworkFlags,
  type SamplerFlags,
} from '../app/model-choice.ts';
import {
  addEngineFlags,
  addNetworkFlags,
  addSamplerFlags,
  positiveInteger,
  positiveNumber,
  wholeNumber,
} from './options.ts';

/** What `infer` needs from the composition root. */
export interface InferServices {
  openEngine(choice: ModelChoice): Promise<InferenceEngine>;
  /** Reads a video as clips of the size and length that the engine wants. */
  readClips(input: string, window: ClipWindow, info: EngineInfo, signal: AbortSignal): AsyncIterable<Clip>;
  /** Reads a `.npy` of uint8 [T, H, W, 3]. */
  readPixels(path: string): Promise<PixelClip>;
  readonly createPixelPacker: (contextFrames?: number) => (clip: Clip) => PixelClip;
}

interface ClipWindow {
  readonly stride?: number;
  readonly fps?: number;
}

interface InferFlags extends NetworkFlags, SamplerFlags, EngineFlags {
  readonly model: string;
  readonly seed: number;
  readonly fps?: number;
  readonly clipStride?: number;
  readonly top: number;
  readonly json?: true;
}

/** `infer INPUT`: scores and compute receipt of each clip of a video, or of one `.npy` clip. Delivers nothing. */
export function addInferCommand(program: Command, io: CliIo, services: InferServices): void {
  const command = program
    .command('infer <input>')
    .description('score the clips of a video, or one .npy clip (uint8 [T, H, W, 3])')
    .option(
      '--model <path|name>',
      'model folder, manifest or .safetensors; or a network name (untrained)',
      DEFAULT_MODEL,
    )
    .option('--seed <n>', 'seed of an untrained network', wholeNumber, 0)
    .option('--fps <r>', "frames a second (default: the model's)", positiveNumber)
    .option('--clip-stride <n>', "frames between clip starts (default: the model's)", positiveInteger)
    .option('--top <n>', 'labels shown a clip (not with --json)', positiveInteger, 3)
    .option('--json', 'one JSON line a clip');
  addSamplerFlags(addNetworkFlags(addEngineFlags(command))).action((input: string, flags: InferFlags) =>
    infer(input, flags, io, services),
  );
}

async function infer(input: string, flags: InferFlags, io: CliIo, services: InferServices): Promise<void> {
  const pixels = input.endsWith('.npy') ? await services.readPixels(input) : undefined;
  await using engine = await services.openEngine(modelChoice(flags, pixels));
  const sampler = samplerFromFlags(flags, engine.info.sampler);
  for (const notice of engine.info.notices)
    printLine(io.stderr, `running on ${engine.info.device}: ${notice}`);
  if (engine.info.model.id.startsWith('untrained-')) {
    printLine(io.stderr, `${engine.info.model.id}: random weights, the labels mean nothing`);
  }
  if (pixels) {
    const fps = flags.fps ?? engine.info.clip.fps;
    const result = await engine.infer(pixels, { sampler, signal: io.signal });
    print(io, flags, { result, info: engine.info, startMs: 0, endMs: (pixels.frames / fps) * 1000 });
    return;
  }
  const window = {
    ...(flags.fps !== undefined && { fps: flags.fps }),
    ...(flags.clipStride !== undefined && { stride: flags.clipStride }),
  };
  const pack = services.createPixelPacker(clipContext(engine.info, flags.clipStride));
  for await (const clip of services.readClips(input, window, engine.info, io.signal)) {
    const result = await engine.infer(pack(clip), { sampler, signal: io.signal });
    const { segment, startedAtMs: startMs, endedAtMs: endMs } = clip;
    print(io, flags, { result, info: engine.info, segment, startMs, endMs });
  }
}

interface Scored {
  readonly result: InferenceResult;
  readonly info: EngineInfo;
  /** Absent for a clip that comes from no video. */
  readonly segment?: number;
  /** Since the first frame of the video, on over discontinuities. */
  readonly startMs: number;
  readonly endMs: number;
}

function print(
  io: CliIo,
  { json, top }: InferFlags,
  { result, info, segment, startMs, endMs }: Scored,
): void {
  const { compute, logits } = result;
  const values = Array.from(logits);
  const scores = Array.from(result.scores, (score, index) => ({
    label: info.labels[index] ?? String(index),
    score,
  })).sort((a, b) => b.score - a.score);
  if (json) {
    printJson(io.stdout, {
      start_ms: Math.round(startMs),
      end_ms: Math.round(endMs),
      ...(segment !== undefined && { segment }),
      ...(info.embedding ? { embedding: values } : { logits: values, scores }),
      compute: {
        input_steps: compute.inputSteps,
        kept_steps: compute.keptSteps,
        multiply_adds: compute.multiplyAdds,
        dense_multiply_adds: compute.denseMultiplyAdds,
        reused_steps: compute.reusedSteps,
        reused_kept_steps: compute.reusedKeptSteps,
        reused_multiply_adds: compute.reusedMultiplyAdds,
        lower_ms: compute.lowerMs,
        sampler_ms: compute.samplerMs,
        upper_ms: compute.upperMs,
      },
    });
    return;
  }
  const best = info.embedding
    ? [
        `embedding of ${values.length} values, length ${Math.hypot(...values).toFixed(3)} (--json prints them)`,
      ]
    : scores.slice(0, top).map(({ label, score }) => `${label} ${score.toFixed(3)}`);
  const milliseconds = compute.lowerMs + compute.samplerMs + compute.upperMs;
  printLine(
    io.stdout,
    `${seconds(startMs)}–${seconds(endMs)}  kept ${compute.keptSteps}/${compute.inputSteps}  ${milliseconds.toFixed(0)} ms  ${best.join(', ')}`,
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
