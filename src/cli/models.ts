import type { Command } from 'commander';
import { buildNetwork } from '../inference/network/build.ts';
import { countCost } from '../inference/network/cost.ts';
import { listVariantNames } from '../inference/network/variants.ts';
import type { CliIo } from './io.ts';
import { printJson, printLine, printTable } from './io.ts';
import { networkOverrides, sgsOverride, type NetworkFlags, type SamplerFlags } from '../app/model-choice.ts';
import { addModelsReport, type ModelsReportServices } from './models-report.ts';
import { addNetworkFlags, addSamplerFlags, positiveInteger } from './options.ts';

/** `models ls | inspect | report`: the S3D family: names, parameters, multiply-adds, shapes; measured with `report`. */
export function addModelsCommand(program: Command, io: CliIo, services: ModelsReportServices): void {
  const models = program.command('models').description('the S3D family: list, inspect and measure networks');
  addModelsReport(models, io, services);

  models
    .command('ls')
    .description('every network of the family with its size at 64 frames of 224×224')
    .option('--json', 'one JSON line a network')
    .action(({ json }: { json?: true }) => {
      const rows = listVariantNames().map((name) => ({
        name,
        cost: countCost(buildNetwork({ variant: name })),
      }));
      if (json) {
        for (const { name, cost } of rows) {
          printJson(io.stdout, { name, parameters: cost.parameters, multiply_adds: cost.multiplyAdds });
        }
        return;
      }
      const table = rows.map(({ name, cost }) => [
        name,
        inMillions(cost.parameters),
        inGiga(cost.multiplyAdds),
      ]);
      printTable(io.stdout, [['NETWORK', 'PARAMETERS', 'MULTIPLY-ADDS'], ...table]);
    });

  const inspect = models
    .command('inspect <name>')
    .description('parameters, multiply-adds and output shape of each layer')
    .option('--kept-steps <B>', 'time steps that leave the SGS layer (default: all)', positiveInteger)
    .option('--json', 'machine-readable');
  addSamplerFlags(addNetworkFlags(inspect));
  inspect.action((name: string, flags: NetworkFlags & SamplerFlags & { keptSteps?: number; json?: true }) => {
    const network = buildNetwork({ variant: name, ...networkOverrides(flags), ...sgsOverride(flags) });
    const cost = countCost(network, flags.keptSteps === undefined ? {} : { keptSteps: flags.keptSteps });
    if (flags.json) {
      printJson(io.stdout, {
        name: network.name,
        parameters: cost.parameters,
        multiply_adds: cost.multiplyAdds,
        layers: cost.layers.map((layer) => ({
          name: layer.name,
          multiply_adds: layer.multiplyAdds,
          parameters: layer.parameters,
          output_shape: layer.outputShape,
        })),
      });
      return;
    }
    const { frames, height, width } = network.options;
    printLine(io.stdout, `${network.name}, ${frames} frames of ${height}×${width}`);
    const rows = cost.layers.map((layer) => [
      layer.name,
      layer.outputShape.join('×'),
      inMillions(layer.parameters),
      inGiga(layer.multiplyAdds),
    ]);
    const total = ['total', '', inMillions(cost.parameters), inGiga(cost.multiplyAdds)];
    printTable(io.stdout, [['LAYER', 'T×H×W×C', 'PARAMETERS', 'MULTIPLY-ADDS'], ...rows, total]);
  });
}

function inMillions(count: number): string {
  return `${(count / 1e6).toFixed(3)} M`;
}

function inGiga(count: number): string {
  return `${(count / 1e9).toFixed(2)} G`;
}
