import type { Command } from 'commander';
import { settingsOfFlags } from '../config/flag-settings.ts';
import type { SamplingPlan } from '../sampler/index.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine } from './io.ts';
import { nonNegativeNumber } from './options.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';

interface SampleFlags {
  readonly width?: number;
  readonly json?: true;
}

/** What belongs to a network: there is none here. */
const OF_THE_NETWORK = ['after', 'embedding_size', 'similarity', 'temporal_edge', 'time_means'];

/**
 * `sample EMBEDDINGS.npy`: the sampling plan of given embeddings, to look at or to compare with another
 * program.
 */
export function addSampleCommand(program: Command, io: CliIo): void {
  const command = program
    .command('sample <embeddings.npy>')
    .description('group time steps by their embeddings (float32 [T, L])')
    .option('--width <δ>', 'the same as --delta', nonNegativeNumber)
    .option('--json', 'machine-readable');
  const except = OF_THE_NETWORK.map((key) => `sampler.${key}`);
  addSettingFlags(command, ['sampler'], except).action(async (path: string, { width, json }: SampleFlags) => {
    const { sampler } = settingsOfFlags(givenSettings(command));
    if (sampler.kind === undefined) command.error("error: required option '--sampler <kind>' not specified");
    const { samplePlan } = await import('../app/sample-plan.ts');
    const plan = await samplePlan(path, { ...sampler, ...(width !== undefined && { width }) });
    if (json) printPlanJson(io, plan);
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
