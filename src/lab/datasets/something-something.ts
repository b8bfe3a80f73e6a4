import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import { createClipCollector } from './clip-collector.ts';
import { labelMap } from '../../labels/label-maps.ts';
import { createListProblems, readList } from './list-problems.ts';
import { splitOfName } from './splits.ts';
import type { ClipList } from './types.ts';
import type { VideoIndex } from './video-index.ts';

/** Names of the labels file that comes with the lists. */
const LABEL_FILES = ['labels.json', 'something-something-v2-labels.json'];

const ENTRY = z.object({
  id: z.union([z.string(), z.number()]),
  template: z.string().optional(),
  label: z.string().optional(),
});

/**
 * The JSON lists of Something-Something V2: entries with `id` and `template`; the labels file beside
 * the list says which templates there are, else the shipped label map. Videos are named by id.
 * @throws ActionstreamError INPUT_INVALID naming entry and key
 */
export async function readSomethingSomething(file: string, videos: VideoIndex): Promise<ClipList> {
  const entries = await readJson(file);
  if (!Array.isArray(entries)) {
    throw new ActionstreamError('INPUT_INVALID', `${file}: expected a list of entries with id and template`);
  }
  const { labels, source } = await labelsBeside(file);
  const problems = createListProblems(file);
  const collector = createClipCollector('ssv2', videos);
  entries.forEach((value: unknown, index) => {
    const where = `entry ${index + 1}`;
    const entry = ENTRY.safeParse(value);
    if (!entry.success) {
      problems.add(where, 'key id', 'is missing; an entry is {"id": …, "template": …}');
      return;
    }
    const id = String(entry.data.id);
    const label = plainTemplate(entry.data.template ?? '');
    if (label === '') {
      problems.add(
        `${where} (id ${id})`,
        'key template',
        'is missing: test lists have no labels; take the validation list',
      );
    } else if (!labels.has(label)) {
      problems.add(`${where} (id ${id})`, 'key template', `"${label}" is no label of ${source}`);
    }
    collector.add([id], { label, split: splitOfName(file) });
  });
  problems.throwIfAny();
  return collector.list;
}

async function labelsBeside(
  file: string,
): Promise<{ readonly labels: ReadonlySet<string>; readonly source: string }> {
  const source = LABEL_FILES.map((name) => path.join(path.dirname(file), name)).find((name) =>
    existsSync(name),
  );
  if (source === undefined) return { labels: new Set(labelMap('ssv2')), source: 'the label map ssv2' };
  const map = await readJson(source);
  if (typeof map !== 'object' || map === null) {
    throw new ActionstreamError('INPUT_INVALID', `${source}: expected an object of labels and indices`);
  }
  return { labels: new Set(Object.keys(map).map(plainTemplate)), source };
}

async function readJson(file: string): Promise<unknown> {
  const text = await readList(file);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ActionstreamError('INPUT_INVALID', `${file}: is no JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** `Holding [something]` → `Holding something`, as the labels file spells it. */
function plainTemplate(template: string): string {
  return template.replace(/[[\]]/g, '').trim();
}
