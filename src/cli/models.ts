import type { Command } from 'commander';
import type { InspectRequest } from '../app/models.ts';
import type { NetworkOptions } from '../inference/network/graph.ts';
import { printJson, printLine, printTable, type CliIo } from './io.ts';
import { addModelsImport } from './models-import.ts';
import { addModelsReport } from './models-report.ts';
import { positiveInteger } from './options.ts';
import { addSettingFlags, givenSettings } from './setting-flags.ts';

/**
 * `models ls | inspect | report | import | pull`: names, parameters, multiply-adds and shapes of the S3D
 * family; `report` also measures them.
 */
export function addModelsCommand(program: Command, io: CliIo): void {
  const models = program.command('models').description('the S3D family: list, inspect and measure networks');
  addModelsReport(models, io);
  addModelsImport(models, io);

  models
    .command('ls')
    .description('every network of the family with its size at 64 frames of 224×224')
    .option('--json', 'one JSON line a network')
    .action(async ({ json }: { json?: true }) => {
      const { listNetworks } = await import('../app/models.ts');
      const rows = listNetworks();
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
    .command('inspect <name|folder>')
    .description('parameters, multiply-adds and output shape of each layer')
    .option('--kept-steps <B>', 'time steps that leave the SGS layer (default: all)', positiveInteger)
    .option('--json', 'machine-readable');
  addSettingFlags(inspect, ['model', 'sampler'], ['model.seed']);
  inspect.action(async (name: string, flags: Pick<InspectRequest, 'keptSteps'> & { json?: true }) => {
    const { inspectNetwork } = await import('../app/models.ts');
    const { keptSteps } = flags;
    const network = inspectNetwork({
      ...{ name, settings: givenSettings(inspect) },
      ...(keptSteps !== undefined && { keptSteps }),
    });
    const { cost } = network;
    if (flags.json) {
      printJson(io.stdout, {
        name: network.name,
        parameters: cost.parameters,
        multiply_adds: cost.multiplyAdds,
        ...(network.options.sgs && { sampling: samplingOf(network.options) }),
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
    if (network.options.sgs) {
      const { after, similarity, temporal_edge: edge, time_means: means } = samplingOf(network.options);
      printLine(
        io.stdout,
        `time steps sampled after ${after}, similarity ${similarity}, temporal edge ${edge}, time means ${means}`,
      );
    }
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

/** How the network samples, in the words of the flags. */
function samplingOf({ sgs, temporalEdge = 'zero', timeMeans = 'plain' }: NetworkOptions) {
  const { after = '', embedding } = sgs ?? {};
  const cells = embedding?.kind === 'cells' ? embedding : undefined;
  const most = cells && cells.top > 1 ? `:${cells.top}` : '';
  const similarity = cells ? `grid:${cells.grid}${most}` : 'global';
  return { after, similarity, temporal_edge: temporalEdge, time_means: timeMeans };
}

function inMillions(count: number): string {
  return `${(count / 1e6).toFixed(3)} M`;
}

function inGiga(count: number): string {
  return `${(count / 1e9).toFixed(2)} G`;
}
