import path from 'node:path';
import type { ClipList, LabelledClip } from './types.ts';
import type { VideoIndex } from './video-index.ts';

/** Gathers the entries of an official list: those whose video is there, and those whose video is not. */
export interface ClipCollector {
  /** @param names what the video may be called; the first one that is there counts */
  add(names: readonly string[], entry: CollectedEntry): void;
  readonly list: ClipList;
}

interface CollectedEntry {
  readonly label: string;
  readonly split: string;
  readonly group?: string | undefined;
}

export function createClipCollector(dataset: string, videos: VideoIndex): ClipCollector {
  const clips: LabelledClip[] = [];
  const absent: Pick<LabelledClip, 'name' | 'split'>[] = [];
  return {
    add(names, { label, split, group }) {
      const found = names.map((name) => videos.find(name)).find((video) => video !== undefined);
      if (found === undefined) {
        absent.push({ name: names[0] ?? '', split });
        return;
      }
      const name = path.relative(videos.root, found);
      clips.push({
        dataset,
        path: found,
        name,
        labels: [label],
        split,
        ...(group !== undefined && { group }),
      });
    },
    list: { clips, absent },
  };
}
