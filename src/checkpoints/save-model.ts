import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import type { ImportedModel } from './import-model.ts';

/**
 * Writes model.safetensors and then manifest.json, so that a folder with a manifest is whole. A model that is there
 * already stays.
 * @throws ActionstreamError USAGE where the folder holds a model, or cannot be written
 */
export async function saveModel(
  folder: string,
  { manifest, weights }: Pick<ImportedModel, 'manifest' | 'weights'>,
): Promise<void> {
  const manifestPath = join(folder, 'manifest.json');
  if (await stat(manifestPath).catch(() => undefined)) {
    throw new ActionstreamError(
      'USAGE',
      `${folder} holds a model already: remove it, or choose another --out`,
    );
  }
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, manifest.weights.file), weights);
    await writeFile(manifestPath, `${JSON.stringify(manifest, undefined, 2)}\n`);
  } catch (error) {
    throw new ActionstreamError('USAGE', `${folder} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
