import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import type { Model, ModelManifest } from '../model.ts';
import { buildNetwork } from '../network/build.ts';
import { bindWeights } from './bind-weights.ts';
import { parseManifest } from './manifest.ts';
import { parseSafetensors } from './safetensors.ts';

/**
 * Loads a model from its folder, its manifest.json, or its .safetensors file with manifest.json
 * beside it. The weights must have the manifest's SHA-256 and fit its network; tensors that the
 * network does not use are left out.
 * @throws ActionstreamError MODEL_INVALID
 */
export async function loadModel(path: string): Promise<Model> {
  const manifestPath = await manifestPathOf(path);
  const manifest = parseManifest(new TextDecoder().decode(await readModelFile(manifestPath)), manifestPath);
  const isFolder = manifestPath === join(path, 'manifest.json');
  const weightsPath =
    path.endsWith('.safetensors') && !isFolder ? path : join(dirname(manifestPath), manifest.weights.file);
  const bytes = await readModelFile(weightsPath);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== manifest.weights.sha256) {
    throw new ActionstreamError(
      'MODEL_INVALID',
      `${weightsPath}: SHA-256 is ${sha256}, but ${manifestPath} says ${manifest.weights.sha256}: ` +
        'the file is damaged or of another version',
    );
  }
  const tensors = parseSafetensors(bytes, weightsPath);
  const { weights } = bindWeights(buildNetwork(manifest.network), tensors, weightsPath);
  return { manifest, weights, digest: `sha256:${sha256}` };
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
