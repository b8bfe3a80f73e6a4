import { buildNetwork } from '../src/inference/network/build.ts';
import type { NetworkOptions } from '../src/inference/network/graph.ts';
import { weightShapes } from '../src/inference/network/weight-shapes.ts';

/**
 * `npx tsx tools/export-network.ts '<NetworkOptions as JSON>'` prints the network's node list and the tensors it
 * demands as JSON, so that training interprets the product's own description and restates nothing.
 */
const options = JSON.parse(process.argv[2] ?? '{}') as Partial<NetworkOptions>;
const network = buildNetwork(options);
const weights = Object.fromEntries(weightShapes(network));
process.stdout.write(`${JSON.stringify({ ...network, weights }, null, 1)}\n`);
