import { withValue } from '../config/layers.ts';
import { isVariantName } from '../inference/network/variants.ts';

/**
 * Settings in the shape of the configuration file, with the model that `--model` names: a network, or a
 * trained one.
 */
export function withModel(settings: object, model: string): object {
  return withValue(settings, ['model', isVariantName(model) ? 'network' : 'path'], model) as object;
}
