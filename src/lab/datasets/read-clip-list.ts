import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ActionstreamError } from '../../core/errors.ts';
import { readHmdb51 } from './hmdb51.ts';
import { readKinetics } from './kinetics.ts';
import { readManifest } from './manifest.ts';
import { readSomethingSomething } from './something-something.ts';
import { canonicalSplit } from './splits.ts';
import type { ClipList } from './types.ts';
import { readUcf101 } from './ucf101.ts';
import { indexVideos, type VideoIndex } from './video-index.ts';

/** Official lists: they name videos that lie in a folder. */
const OFFICIAL = {
  kinetics: readKinetics,
  ssv2: readSomethingSomething,
  ucf101: readUcf101,
  hmdb51: readHmdb51,
} as const satisfies Readonly<Record<string, (source: string, videos: VideoIndex) => Promise<ClipList>>>;

/** Forms of a list. */
export type ClipListFormat = 'manifest' | keyof typeof OFFICIAL;

export interface ClipListSource {
  /** A list; for `ucf101` and `hmdb51` also the folder of the lists. */
  readonly path: string;
  readonly format: ClipListFormat;
  /** Only these clips; may be left out where the list has but one split. */
  readonly split?: string;
  /** Folder of the videos of an official list; default: that of the list. */
  readonly videos?: string;
}

/**
 * The labelled clips of one split of a data set.
 * @throws ActionstreamError INPUT_INVALID naming file, line and column of what
 *   is wrong, or the splits that there are
 */
export async function readClipList({ path: file, format, split, videos }: ClipListSource): Promise<ClipList> {
  const list =
    format === 'manifest'
      ? await readManifest(file)
      : await OFFICIAL[format](file, await indexVideos(videos ?? (await folderOf(file))));
  const splits = [...new Set(list.clips.map((clip) => clip.split).filter((name) => name !== ''))];
  if (split === undefined && splits.length > 1) {
    throw new ActionstreamError(
      'INPUT_INVALID',
      `${file}: name one of its splits with --split: ${splits.join(', ')}`,
    );
  }
  // A list that says nothing of splits is one.
  const wanted = (clip: { readonly split: string }): boolean =>
    split === undefined || splits.length === 0 || canonicalSplit(clip.split) === canonicalSplit(split);
  const clips = list.clips.filter(wanted);
  if (clips.length === 0) throw nothingThere(file, { split, splits, absent: list.absent.length });
  return { clips, absent: list.absent.filter(wanted) };
}

async function folderOf(source: string): Promise<string> {
  const entry = await stat(source).catch(() => undefined);
  return entry?.isDirectory() ? source : path.dirname(source);
}

function nothingThere(
  file: string,
  {
    split,
    splits,
    absent,
  }: { readonly split: string | undefined; readonly splits: readonly string[]; readonly absent: number },
): ActionstreamError {
  if (split !== undefined && splits.length > 0) {
    return new ActionstreamError(
      'INPUT_INVALID',
      `${file}: no clip of split "${split}"; it has ${splits.join(', ')}`,
    );
  }
  const why =
    absent > 0 ? `none of its ${absent} videos is there; --videos names their folder` : 'it lists no clip';
  return new ActionstreamError('INPUT_INVALID', `${file}: ${why}`);
}
