import { stat } from 'node:fs/promises';
import { ActionstreamError } from '../../core/errors.ts';
import { groupBy } from '../../core/group-by.ts';
import { readClipList } from '../datasets/read-clip-list.ts';
import type { LabelledClip } from '../datasets/types.ts';
import { taskOf, type Task } from '../evaluation/tasks.ts';
import type { Example, TeachRequest } from './types.ts';

/** A labelled clip in the words of the model. */
export interface Lesson extends Omit<Example, 'features'> {
  readonly clip: LabelledClip;
}

type LessonRequest = Pick<TeachRequest, 'data' | 'split' | 'datasets' | 'background'>;

/** Labels that mean none of the actions wherever they stand. */
const BACKGROUND = ['background', 'none', 'negative'];

/**
 * The clips of a manifest as lessons, checked whole before anything is computed.
 * @throws ActionstreamError INPUT_INVALID, USAGE: a data set that is not there, files that are
 * missing, a data set of one label or one group
 */
export async function readLessons(
  request: LessonRequest,
  onNote: (note: string) => void,
): Promise<readonly Lesson[]> {
  const { data, split, datasets } = request;
  const { clips } = await readClipList({
    path: data,
    format: 'manifest',
    ...(split !== undefined && { split }),
  });
  const byDataset = groupBy(clips, ({ dataset }) => dataset);
  const unknown = datasets.find((name) => !byDataset.has(name));
  if (unknown !== undefined) {
    const known = [...byDataset.keys()].join(', ');
    throw new ActionstreamError('USAGE', `--dataset ${unknown}: ${data} has ${known}`);
  }
  const wanted = datasets.length > 0 ? datasets : [...byDataset.keys()];
  const lessons = wanted.flatMap((name) => lessonsOf(name, byDataset.get(name) ?? [], request, onNote));
  await refuseMissing(lessons, data);
  return lessons;
}

function lessonsOf(
  dataset: string,
  clips: readonly LabelledClip[],
  { data, background }: LessonRequest,
  onNote: (note: string) => void,
): readonly Lesson[] {
  const labelsOf = labelReader(dataset, clips, background);
  const lessons = clips.map((clip) => ({
    ...{ dataset, clip, labels: labelsOf(clip) },
    group: JSON.stringify([dataset, clip.group ?? clip.path]),
  }));
  const shown = new Set(lessons.flatMap(({ labels }) => (labels.length > 0 ? labels : [''])));
  if (shown.size < 2) {
    const [label = ''] = shown;
    throw new ActionstreamError(
      'INPUT_INVALID',
      `${data}: all ${clips.length} clips of ${dataset} ${label === '' ? 'are background' : `show ${label}`}: nothing tells ` +
        'it from anything else; add clips of another label (--background NAME names one that means none), or choose data sets with --dataset',
    );
  }
  const groups = new Set(lessons.map(({ group }) => group));
  if (groups.size < 2) {
    throw new ActionstreamError(
      'INPUT_INVALID',
      `${data}: all ${clips.length} clips of ${dataset} are of the group ${clips[0]?.group ?? ''}: nothing says how other ` +
        'cameras would do; name the camera of each clip in the column group, at least two of them',
    );
  }
  const alone = clips.filter(({ group }) => group === undefined).length;
  if (alone > 0)
    onNote(`${dataset}: ${alone} clips name no group; each of their videos counts as a camera of its own`);
  return lessons;
}

/** A clip's labels as the model spells them; background ones are left out. */
function labelReader(
  dataset: string,
  clips: readonly LabelledClip[],
  background: readonly string[],
): (clip: LabelledClip) => readonly string[] {
  const task = taskOf(dataset);
  const names = namesOf(task);
  const own = new Set(clips.flatMap(({ labels }) => labels.map(plain)));
  const none = new Set(
    [...BACKGROUND, ...background, ...(task.kind === 'detection' ? task.negative : [])].map(plain),
  );
  const isBackground = (label: string): boolean =>
    none.has(label) || (/^n(o|on|ot)/.test(label) && own.has(label.replace(/^n(on|ot|o)/, '')));
  return ({ labels }) => [
    ...new Set(
      labels.filter((label) => !isBackground(plain(label))).map((label) => names.get(plain(label)) ?? label),
    ),
  ];
}

function namesOf(task: Task): ReadonlyMap<string, string> {
  if (task.kind === 'cost') return new Map();
  if (task.kind === 'detection') return new Map(task.positive.map((name) => [plain(name), task.label]));
  return new Map(Object.entries(task.labels).map(([from, to]) => [plain(from), to]));
}

/** As evaluate compares names. */
function plain(label: string): string {
  return label.toLowerCase().replace(/[\s_-]+/g, '');
}

const SHOWN = 5;

async function refuseMissing(lessons: readonly Lesson[], data: string): Promise<void> {
  const videos = new Map(lessons.map(({ clip }) => [clip.path, clip.name]));
  const found = await Promise.all(
    [...videos].map(async ([path, name]) => {
      const entry = await stat(path).catch(() => undefined);
      return entry?.isFile() ? [] : [name];
    }),
  );
  const missing = found.flat();
  if (missing.length === 0) return;
  const more = missing.length > SHOWN ? ` and ${missing.length - SHOWN} more` : '';
  throw new ActionstreamError(
    'INPUT_INVALID',
    `${data}: ${missing.length} of ${videos.size} videos are not there: ${missing.slice(0, SHOWN).join(', ')}${more}; ` +
      'paths count from the folder of the manifest',
  );
}
