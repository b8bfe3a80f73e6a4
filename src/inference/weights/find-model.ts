import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { env } from 'node:process';
import { isVariantName } from '../network/variants.ts';

/** Models that ship with the program, by name. */
const SHIPPED_MODELS = path.join(import.meta.dirname, '..', '..', '..', 'models');

/**
 * Where a model is: a path as it stands; a name among the models that ship, in the working directory,
 * then in the user's models folder. Undefined where it is nowhere, or the name of a network.
 */
export function findModel(model: string): string | undefined {
  if (looksLikePath(model)) return existsSync(model) ? model : undefined;
  if (isVariantName(model)) return undefined;
  const shipped = path.join(SHIPPED_MODELS, model);
  if (existsSync(path.join(shipped, 'manifest.json'))) return shipped;
  if (existsSync(model)) return model;
  const own = path.join(userModels(), model);
  return existsSync(path.join(own, 'manifest.json')) ? own : undefined;
}

/**
 * Where models of the user lie, by name: `$XDG_DATA_HOME/actionstream/models`, else below `~/.local/share`.
 */
export function userModels(): string {
  const { XDG_DATA_HOME: data } = env;
  const base = data !== undefined && path.isAbsolute(data) ? data : path.join(homedir(), '.local', 'share');
  return path.join(base, 'actionstream', 'models');
}

export function looksLikePath(model: string): boolean {
  return model.includes('/') || model.includes('\\') || /\.(safetensors|json)$/.test(model);
}
