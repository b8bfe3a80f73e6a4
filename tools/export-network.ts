import { buildNetwork } from '../src/inference/network/build.ts';
import type { NetworkOptions } from '../src/inference/network/graph.ts';
import { completeSteps } from '../src/inference/settle-boundary.ts';
import { weightShapes } from '../src/inference/network/weight-shapes.ts';

/**
 * `npx tsx tools/export-network.ts '<NetworkOptions as JSON>'` prints the network's node list, the tensors it
 * demands and the SGS layer's complete steps as JSON: training interprets the product's own description.
 */
const options = JSON.parse(process.argv[2] ?? '{}') as Partial<NetworkOptions>;
const network = buildNetwork(options);
const weights = Object.fromEntries(weightShapes(network));
process.stdout.write(
  `${JSON.stringify({ ...network, weights, completeSteps: completeSteps(network) }, null, 1)}\n`,
);
