import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildNetwork } from '../inference/network/build.ts';
import { countCost } from '../inference/network/cost.ts';
import type { NetworkOptions } from '../inference/network/graph.ts';
import { listVariantNames } from '../inference/network/variants.ts';
import { parseManifest } from '../inference/weights/manifest.ts';
import { findModel } from '../inference/weights/find-model.ts';
import { settingsOfFlags } from '../config/flag-settings.ts';
import { arithmeticOverrides, networkOverrides, configuredSgs } from './model-choice.ts';

type NetworkCost = ReturnType<typeof countCost>;

/** `models ls`: every network of the family at its own size. */
export function listNetworks(): readonly { readonly name: string; readonly cost: NetworkCost }[] {
  return listVariantNames().map((name) => ({ name, cost: countCost(buildNetwork({ variant: name })) }));
}

export interface InspectRequest {
  /** A model, by path or name; or a network's name. */
  readonly name: string;
  readonly keptSteps?: number;
  /** Given as flags, in the shape of the configuration file. */
  readonly settings: object;
}

export interface InspectedNetwork {
  readonly name: string;
  readonly options: ReturnType<typeof buildNetwork>['options'];
  readonly cost: NetworkCost;
}

/** `models inspect`: what a network costs, layer by layer. @throws MODEL_INVALID, NETWORK_UNKNOWN, USAGE */
export function inspectNetwork({ name, keptSteps, settings }: InspectRequest): InspectedNetwork {
  const { network: shape, sampler } = settingsOfFlags(settings);
  const own = ownOptions(name);
  const network = buildNetwork({
    ...own,
    ...networkOverrides(shape),
    ...arithmeticOverrides(sampler),
    ...configuredSgs(own, sampler),
  });
  const cost = countCost(network, keptSteps === undefined ? {} : { keptSteps });
  return { name: network.name, options: network.options, cost };
}

/** Of a model, by its path or name; else the name is a network's. */
function ownOptions(name: string): Partial<NetworkOptions> {
  const model = findModel(name);
  if (model === undefined) return { variant: name };
  const file = model.endsWith('.json') ? model : path.join(model, 'manifest.json');
  return existsSync(file) ? parseManifest(readFileSync(file, 'utf8'), file).network : { variant: name };
}
