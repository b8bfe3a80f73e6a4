import { ENGINE_KINDS, PROVIDERS, WITHOUT_GPU } from '../inference/engine-choice.ts';
import { parseDuration, parseInstant } from '../core/time.ts';
import { InvalidArgumentError, Option, type Command } from 'commander';

export function addNetworkFlags(command: Command): Command {
  return command
    .option('--frames <T>', 'frames a clip', positiveInteger)
    .option('--size <N>', 'input height and width in pixels', positiveInteger)
    .option('--classes <K>', 'number of classes', positiveInteger)
    .option('--width <A>', 'width multiplier of all channels', positiveNumber)
    .addOption(
      new Option('--padding <mode>', 'padding of convolutions and pools').choices(['symmetric', 'same']),
    )
    .addOption(new Option('--stem <form>', 'stem of separable networks').choices(['separable', 'dense']))
    .addOption(new Option('--input <encoding>', 'what the first convolution sees').choices(['rgb', 'motion']))
    .option('--no-gate-bias', 'self-gating without bias, as TF-slim');
}

export function addEngineFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--engine <kind>', 'what computes the network (default: onnx)').choices(ENGINE_KINDS),
    )
    .addOption(
      new Option('--provider <name>', 'where it computes (default: cpu for onnx, auto for tfjs)').choices(
        PROVIDERS,
      ),
    )
    .addOption(new Option('--without-gpu <deed>', 'where the GPU cannot be used').choices(WITHOUT_GPU))
    .option('--threads <n>', 'CPU threads of the engine', positiveInteger)
    .option('--no-reuse', 'compute each clip by itself: overlapping clips share no work');
}

export function addSamplerFlags(command: Command): Command {
  return command
    .on('option:sgs', (layer: string) => {
      command.setOptionValue('sgsAfter', layer);
    })
    .option('--sampler <kind>', 'none, uniform, reference or ordered')
    .option('--sgs-after <layer>', 'layer after which time steps are sampled, e.g. Conv_2b')
    .addOption(new Option('--sgs <layer>', 'the same as --sgs-after'))
    .option(
      '--sgs-size <L>',
      'learned embedding of that size (default: pooled features, no weights)',
      positiveInteger,
    )
    .option('--delta <δ>', 'ordered: bin width in embedding distance', nonNegativeNumber)
    .option('--noise-floor <n>', 'ordered: smaller moves count as none', nonNegativeNumber)
    .addOption(
      new Option(
        '--anchor <where>',
        'ordered: bins begin with each clip, or a still bin runs on along the stream',
      ).choices(['clip', 'stream']),
    )
    .addOption(
      new Option(
        '--representative <step>',
        'ordered: what stands for a group, its weighted mean or its middle step',
      ).choices(['mean', 'middle']),
    )
    .option(
      '--min-steps <N>',
      'ordered: kept steps of a clip in which something moves, at least',
      positiveInteger,
    )
    .addOption(
      new Option(
        '--temporal-edge <what>',
        'what temporal convolutions above the sampled layer see beside the clip: zeros, or its edge steps again',
      ).choices(['zero', 'edge']),
    )
    .addOption(
      new Option(
        '--time-means <how>',
        'means over time above it: all steps alike, or by how many each stands for (default with edge)',
      ).choices(['plain', 'multiplicity']),
    )
    .option(
      '--similarity <by>',
      'how steps are compared: global, or grid:N (the cell of N×N that moves most)',
    )
    .option('--stride <n>', 'uniform: keep every n-th step', positiveInteger)
    .option('--bins <B>', 'reference: number of bins', positiveInteger)
    .option('--kernel <name>', 'reference: linear, linear_normalized, delta or delta_normalized')
    .option('--distance <norm>', 'l2 or l1');
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(value) || value < 1)
    throw invalid('a whole number of 1 or more');
  return value;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(value))
    throw invalid('a whole number of 0 or more');
  return value;
}

export function positiveNumber(text: string): number {
  const value = decimal(text);
  if (!(value > 0) || !Number.isFinite(value)) throw invalid('a number above 0');
  return value;
}

export function nonNegativeNumber(text: string): number {
  const value = decimal(text);
  if (!(value >= 0) || !Number.isFinite(value)) throw invalid('a number of 0 or more');
  return value;
}

/** JavaScript's own reading takes nothing for 0, and `0x10` for 16. */
function decimal(text: string): number {
  return /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
}

/** RFC 3339, or a duration ago. Nothing else is guessed: a local time or a date alone means another instant to everybody. */
export function instant(text: string): Date {
  const ago = parseDuration(text);
  const ms = ago === undefined ? parseInstant(text) : Date.now() - ago;
  if (ms === undefined) throw invalid('a time such as 2026-11-22T10:15:00Z, or a duration ago such as 2h');
  return new Date(ms);
}

export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw invalid('a duration such as 500ms, 3s, 2h or 30d');
  return ms;
}

/** Above 0, at most 1. */
export function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw invalid('a number above 0 and at most 1');
  return value;
}

/** Commander puts the option and what was given before this. */
function invalid(wanted: string): InvalidArgumentError {
  return new InvalidArgumentError(`Expected ${wanted}.`);
}
