import { groupBy } from '../../core/group-by.ts';
import { ActionstreamError } from '../../core/errors.ts';
import type { LabelledClip } from '../datasets/types.ts';
import { resolveTask, type ResolvedTask } from '../evaluation/resolve-task.ts';
import { TASKS, taskOf, type Task } from '../evaluation/tasks.ts';
import type { EngineInfo } from '../../inference/engine.ts';

/** A data set that will be evaluated, video by video. */
export interface PlannedDataset {
  readonly name: string;
  readonly task: Task;
  readonly resolved: ResolvedTask;
  /** Clips by video. */
  readonly videos: ReadonlyMap<string, readonly LabelledClip[]>;
  readonly leftOut: number;
}

export interface Plan {
  readonly datasets: readonly PlannedDataset[];
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

/**
 * What is done with each data set of a list.
 * @throws ActionstreamError USAGE for a data set or task that is not there;
 *   INPUT_INVALID where nothing is left
 */
export function planEvaluation(
  clips: readonly LabelledClip[],
  wanted: { readonly datasets: readonly string[]; readonly tasks: Readonly<Record<string, string>> },
  info: Pick<EngineInfo, 'labels' | 'backgroundId' | 'model'>,
): Plan {
  const byName = groupBy(clips, ({ dataset }) => dataset);
  for (const name of [...wanted.datasets, ...Object.keys(wanted.tasks)]) {
    if (!byName.has(name)) throw unknown(`no data set "${name}" here`, [...byName.keys()]);
  }
  const datasets: PlannedDataset[] = [];
  const notes: string[] = [];
  for (const [name, all] of byName) {
    const named = wanted.datasets.includes(name);
    if (wanted.datasets.length > 0 && !named) continue;
    const planned = planDataset(name, all, { like: wanted.tasks[name], info });
    const why =
      planned.task.kind === 'cost' && !named
        ? `--dataset ${name} measures its cost`
        : reasonToSkip(planned, info);
    if (why === undefined) datasets.push(planned);
    else notes.push(`${name}: ${all.length} clips left out: ${why}`);
  }
  if (datasets.length === 0) {
    throw new ActionstreamError('INPUT_INVALID', ['nothing to evaluate', ...notes].join('\n'));
  }
  return { datasets, notes };
}

function planDataset(
  name: string,
  clips: readonly LabelledClip[],
  {
    like,
    info,
  }: { readonly like: string | undefined; readonly info: Pick<EngineInfo, 'labels' | 'backgroundId'> },
): PlannedDataset {
  if (like !== undefined && !Object.hasOwn(TASKS, like))
    throw unknown(`no task "${like}"`, Object.keys(TASKS));
  const task = taskOf(like ?? name);
  const resolved = resolveTask(task, info);
  const kept = clips.filter(({ labels }) => resolved.truthOf(labels) !== undefined);
  return {
    name,
    task,
    resolved,
    videos: groupBy(kept, ({ path }) => path),
    leftOut: clips.length - kept.length,
  };
}

function reasonToSkip(
  { task, resolved, videos }: PlannedDataset,
  { model }: Pick<EngineInfo, 'model'>,
): string | undefined {
  if (task.kind === 'cost') return undefined;
  const least = task.kind === 'choice' ? 2 : 1;
  if (resolved.candidates.length >= least && videos.size > 0) return undefined;
  return `${model.id} has none of its labels`;
}

function unknown(what: string, known: readonly string[]): ActionstreamError {
  return new ActionstreamError('USAGE', `${what}; there are ${known.join(', ')}`);
}
