import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { parseSafetensors, writeSafetensors } from '../../inference/weights/safetensors.ts';
import type { LabelledClip } from '../datasets/types.ts';
import type { ClipFeatures } from './types.ts';

/**
 * Features by what they were computed from, one file a clip: what an interrupted run computed is there
 * for the next.
 */
export interface FeatureStore {
  /** @param video SHA-256 of the video's bytes */
  find(video: string, clip: LabelledClip): Promise<ClipFeatures | undefined>;
  /** @throws ActionstreamError USAGE where the folder cannot be written */
  keep(video: string, clip: LabelledClip, features: ClipFeatures): Promise<void>;
}

/** Changes when features are computed otherwise than before. */
const VERSION = 2;

/**
 * @param computation everything beside the clip that features depend on: weights, network, samplers, rate
 */
export function openFeatureStore(folder: string, computation: object): FeatureStore {
  const fileOf = (video: string, { startS, endS }: LabelledClip): string => {
    const text = JSON.stringify([VERSION, computation, video, startS ?? null, endS ?? null]);
    const key = createHash('sha256').update(text).digest('hex');
    return path.join(folder, key.slice(0, 2), `${key}.safetensors`);
  };
  return {
    find: async (video, clip) => {
      const file = fileOf(video, clip);
      try {
        return featuresOf(await readFile(file), file);
      } catch {
        // Absent or damaged: computed again.
        return undefined;
      }
    },
    keep: async (video, clip, { samplers, windows, size, data, kept }) => {
      const file = fileOf(video, clip);
      const bytes = writeSafetensors(
        new Map([
          ['features', { shape: [samplers, windows, size], data }],
          ['kept', { shape: [samplers], data: Float32Array.from(kept) }],
        ]),
      );
      const part = `${file}.${randomUUID()}.part`;
      try {
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(part, bytes);
        await rename(part, file);
      } catch (error) {
        throw new ActionstreamError(
          'USAGE',
          `${folder}: features cannot be kept: ${messageOf(error)}; name another folder with --cache`,
          { cause: error },
        );
      }
    },
  };
}

/** Where features lie that no flag places: `$XDG_CACHE_HOME/actionstream/features`, else below `~/.cache`. */
export function userFeatures({
  XDG_CACHE_HOME: cache,
}: Readonly<Record<string, string | undefined>>): string {
  const base = cache !== undefined && path.isAbsolute(cache) ? cache : path.join(homedir(), '.cache');
  return path.join(base, 'actionstream', 'features');
}

export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

function featuresOf(bytes: Uint8Array, file: string): ClipFeatures | undefined {
  const tensors = parseSafetensors(bytes, file);
  const [features, kept] = [tensors.get('features'), tensors.get('kept')];
  const [samplers = 0, windows = 0, size = 0] = features?.shape ?? [];
  if (!features || kept?.data.length !== samplers || samplers * windows * size === 0) return undefined;
  return { samplers, windows, size, data: features.data, kept: Array.from(kept.data) };
}
