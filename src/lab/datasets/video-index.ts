import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ActionstreamError, messageOf } from '../../core/errors.ts';

/** The videos under a folder, by name. */
export interface VideoIndex {
  readonly root: string;
  /** The video of that path below the root, else of that name anywhere; the extension does not count. */
  find(name: string): string | undefined;
  /** Their names without folder and extension. */
  readonly names: readonly string[];
}

const VIDEO = /\.(mp4|avi|webm|mkv|mov|m4v|mpg|mpeg|flv|wmv|3gp|ts)$/i;

/**
 * Public lists name videos, and everybody lays them out otherwise.
 * @throws ActionstreamError INPUT_INVALID
 */
export async function indexVideos(root: string): Promise<VideoIndex> {
  const byName = new Map<string, string>();
  const names = new Set<string>();
  const entries = await readdir(root, { recursive: true }).catch((cause: unknown) => {
    throw new ActionstreamError(
      'INPUT_INVALID',
      `${root}: cannot be listed: ${messageOf(cause)}; --videos names the folder that holds the videos`,
      { cause },
    );
  });
  for (const entry of entries.filter((name) => VIDEO.test(name)).sort()) {
    const relative = entry.split(path.sep).join('/').replace(VIDEO, '');
    const name = path.posix.basename(relative);
    names.add(name);
    byName.set(relative, path.join(root, entry));
    if (!byName.has(name)) byName.set(name, path.join(root, entry));
  }
  return {
    root,
    names: [...names],
    find: (name) => {
      const bare = name.replace(VIDEO, '');
      return byName.get(bare) ?? byName.get(path.posix.basename(bare));
    },
  };
}
