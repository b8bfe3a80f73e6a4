import { join } from 'node:path';
import { readJsonFile, writeFileAtomic } from './atomic-file.ts';

/** What a journal says of itself in `journal.json`. */
export interface Marker {
  /** false: some of the newest records may be gone after a power loss. */
  readonly fsync: boolean;
}

/** undefined: a new directory, or one of a version that knew no marker. */
export async function loadMarker(dir: string): Promise<Marker | undefined> {
  const content = await readJsonFile(markerPath(dir)).catch(() => undefined);
  if (typeof content !== 'object' || content === null || !('fsync' in content)) return undefined;
  return { fsync: content.fsync !== false };
}

export async function saveMarker(dir: string, marker: Marker): Promise<void> {
  await writeFileAtomic(markerPath(dir), JSON.stringify({ format: 1, ...marker }));
}

function markerPath(dir: string): string {
  return join(dir, 'journal.json');
}
