import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import type { Model, ModelManifest, Weights } from '../model.ts';
import { buildNetwork } from '../network/build.ts';
import { bindWeights } from './bind-weights.ts';
import { findModel, userModels } from './find-model.ts';
import { parseManifest } from './manifest.ts';
import { parseSafetensors } from './safetensors.ts';

/**
 * Loads a model from its folder, its manifest.json, or its .safetensors file with manifest.json
 * beside it. The weights must have the manifest's SHA-256 and fit its network; tensors that the
 * network does not use are left out. Tensors that its file lacks come from the base that it names.
 * @throws ActionstreamError MODEL_INVALID
 */
export async function loadModel(path: string): Promise<Model> {
  const manifestPath = await manifestPathOf(path);
  const manifest = parseManifest(new TextDecoder().decode(await readModelFile(manifestPath)), manifestPath);
  const isFolder = manifestPath === join(path, 'manifest.json');
  const weightsPath =
    path.endsWith('.safetensors') && !isFolder ? path : join(dirname(manifestPath), manifest.weights.file);
  const bytes = await readModelFile(weightsPath);
  const sha256 = sha256Of(bytes);
  if (sha256 !== manifest.weights.sha256) {
    throw new ActionstreamError(
      'MODEL_INVALID',
      `${weightsPath}: SHA-256 is ${sha256}, but ${manifestPath} says ${manifest.weights.sha256}: ` +
        'the file is damaged or of another version',
    );
  }
  const own = parseSafetensors(bytes, weightsPath);
  const { base } = manifest.weights;
  const tensors = base ? new Map([...(await weightsOfBase(base, manifestPath)), ...own]) : own;
  const { weights } = bindWeights(buildNetwork(manifest.network), tensors, weightsPath);
  return { manifest, weights, digest: `sha256:${base ? sha256Of(`${base.sha256} ${sha256}`) : sha256}` };
}

/** A backbone that this program may not ship, and that many heads share. */
async function weightsOfBase({ model, sha256 }: BaseWeights, origin: string): Promise<Weights> {
  const path = findModel(model);
  if (path === undefined) {
    throw new ActionstreamError(
      'MODEL_INVALID',
      `${origin}: its weights are a head on ${model}, which is not on this machine: ` +
        `fetch it once with "actionstream models pull ${model}", or put its folder into ${userModels()}`,
    );
  }
  const found = (await readManifest(path)).weights;
  if (found.sha256 === sha256 && !found.base) return (await loadModel(path)).weights;
  throw new ActionstreamError(
    'MODEL_INVALID',
    `${origin}: its weights are a head on the ${model} whose SHA-256 is ${sha256}, but that of ${path} is ` +
      `${found.sha256}: move that folder away, then "actionstream models pull ${model}"`,
  );
}

type BaseWeights = NonNullable<ModelManifest['weights']['base']>;

function sha256Of(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** What a model says of itself; its weights are not read. @throws ActionstreamError MODEL_INVALID */
export async function readManifest(path: string): Promise<ModelManifest> {
  const manifestPath = await manifestPathOf(path);
  return parseManifest(new TextDecoder().decode(await readModelFile(manifestPath)), manifestPath);
}

async function manifestPathOf(path: string): Promise<string> {
  // A folder may have the name of a file: `models import x.safetensors --out models/x.safetensors`.
  const entry = await stat(path).catch(() => undefined);
  if (entry?.isDirectory()) return join(path, 'manifest.json');
  if (path.endsWith('.json')) return path;
  if (path.endsWith('.safetensors')) return join(dirname(path), 'manifest.json');
  throw new ActionstreamError(
    'MODEL_INVALID',
    `${path}: ${entry ? 'is not' : 'does not exist; expected'} a model folder, a manifest.json or a .safetensors file`,
  );
}

async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ActionstreamError('MODEL_INVALID', `${path}: cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
