import { existsSync } from 'node:fs';
import path from 'node:path';
import { createClipCollector, type ClipCollector } from './clip-collector.ts';
import { labelMap } from '../../labels/label-maps.ts';
import { createListProblems, linesOf, readList } from './list-problems.ts';
import { listFiles } from './list-files.ts';
import { splitOfName } from './splits.ts';
import type { ClipList } from './types.ts';
import type { VideoIndex } from './video-index.ts';

const LIST_NAME = /^(train|test)list\d+\.txt$/i;

/**
 * `trainlist01.txt` and `testlist01.txt` of UCF101, one file or the folder of all:
 * a line is `Class/video.avi`, in train lists with the class index. `classInd.txt`
 * beside them says which classes there are, else the shipped label map.
 * @param source a list, or a folder of lists
 * @throws ActionstreamError INPUT_INVALID naming line and what is wrong
 */
export async function readUcf101(source: string, videos: VideoIndex): Promise<ClipList> {
  const files = await listFiles(source, LIST_NAME, 'trainlist01.txt or testlist01.txt');
  const collector = createClipCollector('ucf101', videos);
  for (const file of files) await readOne(file, collector);
  return collector.list;
}

async function readOne(file: string, collector: ClipCollector): Promise<void> {
  const classes = await classesBeside(file);
  const problems = createListProblems(file);
  for (const { line, text } of linesOf(await readList(file))) {
    const [, label = '', video = '', index] = /^([^/\\]+)[/\\](\S+)(?:\s+(\d+))?$/.exec(text) ?? [];
    if (label === '') {
      problems.add(line, 'path', `"${text}" is not Class/video.avi`);
      continue;
    }
    const expected = classes.indexOf(label) + 1;
    if (expected === 0) problems.add(line, 'class', `"${label}" is none of the ${classes.length} classes`);
    else if (index !== undefined && Number(index) !== expected) {
      problems.add(line, 'class index', `${index} is not that of ${label} (${expected})`);
    }
    // Clips of one group were filmed on one occasion.
    const group = /_g\d+(?=_)/.exec(video)?.[0];
    collector.add([`${label}/${video}`], {
      label,
      split: splitOfName(file),
      group: group && `${label}${group}`,
    });
  }
  problems.throwIfAny();
}

/** By index − 1. */
async function classesBeside(file: string): Promise<readonly string[]> {
  const classInd = path.join(path.dirname(file), 'classInd.txt');
  if (!existsSync(classInd)) return labelMap('ucf101');
  const problems = createListProblems(classInd);
  const classes: string[] = [];
  for (const { line, text } of linesOf(await readList(classInd))) {
    const [, index = '', label = ''] = /^(\d+)\s+(\S+)$/.exec(text) ?? [];
    if (label === '') problems.add(line, 'class', `"${text}" is not an index from 1 and a name`);
    else if (Number(index) !== classes.length + 1)
      problems.add(
        line,
        'class index',
        `is ${index}, expected ${classes.length + 1}: they count from 1, line by line`,
      );
    classes.push(label);
  }
  problems.throwIfAny();
  return classes;
}
