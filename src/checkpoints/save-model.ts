import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import type { ImportedModel } from './import-model.ts';

/**
 * Writes model.safetensors and then manifest.json, so that a folder with a manifest is whole.
 * @throws ActionstreamError USAGE where the folder cannot be written
 */
export async function saveModel(
  folder: string,
  { manifest, weights }: Pick<ImportedModel, 'manifest' | 'weights'>,
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, manifest.weights.file), weights);
    await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  } catch (error) {
    throw new ActionstreamError('USAGE', `${folder} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
