import type { Command } from 'commander';
import type { SamplerFlags } from '../app/model-choice.ts';
import type { SamplingPlan } from '../sampler/index.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine } from './io.ts';
import { nonNegativeNumber, positiveInteger } from './options.ts';

interface SampleFlags extends SamplerFlags {
  readonly sampler: string;
  readonly width?: number;
  readonly json?: true;
}

/** `sample EMBEDDINGS.npy`: the sampling plan of given embeddings, to look at or to check against another program. */
export function addSampleCommand(program: Command, io: CliIo): void {
  program
    .command('sample <embeddings.npy>')
    .description('group time steps by their embeddings (float32 [T, L])')
    .requiredOption('--sampler <kind>', 'none, uniform, reference or ordered')
    .option('--kernel <name>', 'reference: linear, linear_normalized, delta or delta_normalized')
    .option('--distance <norm>', 'l2 or l1')
    .option('--bins <B>', 'reference: number of bins (default: T)', positiveInteger)
    .option('--width <δ>', 'ordered: bin width in embedding distance', nonNegativeNumber)
    .option('--noise-floor <n>', 'ordered: smaller moves count as none', nonNegativeNumber)
    .option('--stride <n>', 'uniform: keep every n-th step', positiveInteger)
    .option('--json', 'machine-readable')
    .action(async (path: string, { width, ...flags }: SampleFlags) => {
      const { samplePlan } = await import('../app/sample-plan.ts');
      const plan = await samplePlan(path, { ...flags, ...(width !== undefined && { delta: width }) });
      if (flags.json) printPlanJson(io, plan);
      else printPlan(io, plan);
    });
}

function printPlanJson(io: CliIo, plan: SamplingPlan): void {
  const { inputLength, outputLength } = plan;
  printJson(io.stdout, { input_length: inputLength, output_length: outputLength, weights: rowsOf(plan) });
}

function printPlan(io: CliIo, plan: SamplingPlan): void {
  printLine(io.stdout, `${plan.inputLength} steps in, ${plan.outputLength} kept`);
  rowsOf(plan).forEach((row, index) => {
    const members = row.flatMap((weight, step) => (weight === 0 ? [] : [`${step}×${weight.toFixed(3)}`]));
    printLine(io.stdout, `${String(index).padStart(3)}: ${members.join(' ')}`);
  });
}

function rowsOf({ inputLength, outputLength, weights }: SamplingPlan): number[][] {
  return Array.from({ length: outputLength }, (_, row) =>
    Array.from(weights.subarray(row * inputLength, (row + 1) * inputLength)),
  );
}
