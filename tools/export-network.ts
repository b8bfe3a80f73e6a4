import { argv, stdout } from 'node:process';
import { buildNetwork } from '../src/inference/network/build.ts';
import type { NetworkOptions } from '../src/inference/network/graph.ts';
import { completeSteps } from '../src/inference/apply-boundary.ts';
import { weightShapes } from '../src/inference/network/weight-shapes.ts';

/**
 * `npx tsx tools/export-network.ts '<NetworkOptions as JSON>'…` prints, one
 * line of JSON a network, the node list, the tensors it demands and the SGS
 * layer's complete steps: training interprets the product's own description.
 */
for (const text of argv.slice(2)) {
  const network = buildNetwork(JSON.parse(text) as Partial<NetworkOptions>);
  const weights = Object.fromEntries(weightShapes(network));
  stdout.write(`${JSON.stringify({ ...network, weights, completeSteps: completeSteps(network) })}\n`);
}
