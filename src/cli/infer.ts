import type { Command } from 'commander';
import type { InferRequest, InferredClip } from '../app/infer.ts';
import { DEFAULT_MODEL } from '../inference/model.ts';
import { printJson, printLine, type CliIo } from './io.ts';
import { positiveInteger } from './options.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';
import { addSourceFlags, readSourceFlags, type SourceFlags } from './source-flags.ts';

interface InferFlags extends SourceFlags, Pick<InferRequest, 'model'> {
  readonly top: number;
  readonly json?: true;
}

/**
 * `infer INPUT`: scores and compute receipt of each clip of a video, or of one `.npy` clip. Delivers
 * nothing.
 */
export function addInferCommand(program: Command, io: CliIo): void {
  const command = program
    .command('infer <input>')
    .description('score the clips of a video, or one .npy clip (uint8 [T, H, W, 3])')
    .option(
      '--model <path|name>',
      'model folder, manifest or .safetensors; or a network name (untrained)',
      DEFAULT_MODEL,
    )
    .option('--top <n>', 'labels shown a clip (not with --json)', positiveInteger, 3)
    .option('--json', 'one JSON line a clip');
  addSettingFlags(addSourceFlags(command), ['engine', 'model', 'sampler', 'defaults.window']).action(
    async (file: string, flags: InferFlags) => {
      const access = await readSourceFlags(flags, io);
      await infer({ file, access, model: flags.model, settings: givenSettings(command) }, flags, io);
    },
  );
}

async function infer(request: InferRequest, flags: InferFlags, io: CliIo): Promise<void> {
  const { inferClips } = await import('../app/infer.ts');
  const clips = inferClips(
    request,
    ({ notices, device, model }) => {
      for (const notice of notices) printLine(io.stderr, `running on ${device}: ${notice}`);
      if (model.id.startsWith('untrained-'))
        printLine(io.stderr, `${model.id}: random weights, the labels mean nothing`);
    },
    io,
  );
  for await (const clip of clips) print(io, flags, clip);
}

function print(
  io: CliIo,
  { json, top }: InferFlags,
  { info, result, segment, startMs, endMs }: InferredClip,
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
