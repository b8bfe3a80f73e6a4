import path from 'node:path';
import { createClipCollector, type ClipCollector } from './clip-collector.ts';
import { labelMap } from '../../labels/label-maps.ts';
import { createListProblems, linesOf, readList } from './list-problems.ts';
import { listFiles } from './list-files.ts';
import type { ClipList } from './types.ts';
import type { VideoIndex } from './video-index.ts';

const LIST_NAME = /^(.+)_test_split(\d+)\.txt$/;

/** What the number after a video means. */
const USES: Readonly<Record<string, string>> = { '0': 'unused', '1': 'train', '2': 'test' };

/**
 * `<class>_test_split<n>.txt` of HMDB51, one file or the folder of all: a line is a video and
 * 1 (train), 2 (test) or 0 (not in this split). Splits are `train1`, `test1`, `train2`, …
 * @param source a list, or a folder of lists
 * @throws ActionstreamError INPUT_INVALID naming line and what is wrong
 */
export async function readHmdb51(source: string, videos: VideoIndex): Promise<ClipList> {
  const files = await listFiles(source, LIST_NAME, '<class>_test_split1.txt');
  const collector = createClipCollector('hmdb51', videos);
  for (const file of files) await readOne(file, collector);
  return collector.list;
}

async function readOne(file: string, collector: ClipCollector): Promise<void> {
  const [, label = '', number = ''] = LIST_NAME.exec(path.basename(file)) ?? [];
  const problems = createListProblems(file);
  const known = labelMap('hmdb51');
  if (!known.includes(label))
    problems.add(1, 'file name', `"${label}" is none of the ${known.length} classes of HMDB51`);
  for (const { line, text } of linesOf(await readList(file))) {
    const [, video = '', flag = ''] = /^(.+?)\s+(\d)$/.exec(text) ?? [];
    const use = USES[flag];
    if (use === undefined) problems.add(line, 'use', `"${text}" is not a video and 0, 1 or 2`);
    if (use === undefined || use === 'unused') continue;
    collector.add([`${label}/${video}`], { label, split: `${use}${number}` });
  }
  problems.throwIfAny();
}
