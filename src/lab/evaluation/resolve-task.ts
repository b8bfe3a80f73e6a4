import type { Task } from './tasks.ts';

/** A task in terms of one model. */
export interface ResolvedTask {
  readonly kind: Task['kind'];
  /** Labels of the model that the figures are about, by index. */
  readonly candidates: readonly number[];
  /** Labels of the model that are true of a clip with these labels; undefined: the clip is left out. */
  truthOf(labels: readonly string[]): readonly number[] | undefined;
}

/**
 * What a task means to a model with these labels: names match whatever their case, spaces, `_` and `-`.
 * A task without a candidate is none that the model could do.
 */
export function resolveTask(
  task: Task,
  { labels, backgroundId }: { readonly labels: readonly string[]; readonly backgroundId?: number },
): ResolvedTask {
  const ids = new Map(labels.map((label, id) => [plain(label), id]));
  const idOf = (label: string): number | undefined => ids.get(plain(label));
  const known = (names: readonly string[]): readonly number[] => names.flatMap((name) => idOf(name) ?? []);
  switch (task.kind) {
    case 'detection':
      return {
        kind: task.kind,
        candidates: known([task.label]),
        truthOf(given) {
          if (overlap(given, task.positive)) return known([task.label]);
          return overlap(given, task.negative) ? [] : undefined;
        },
      };
    case 'choice':
    case 'classification': {
      const all = labels.map((_, id) => id).filter((id) => id !== backgroundId);
      const candidates = task.kind === 'choice' ? known(Object.values(task.labels)) : all;
      const names = new Map(Object.entries(task.labels).map(([from, to]) => [plain(from), to]));
      return {
        kind: task.kind,
        candidates,
        truthOf(given) {
          const truth = given
            .flatMap((label) => idOf(names.get(plain(label)) ?? label) ?? [])
            .filter((id) => candidates.includes(id));
          return truth.length > 0 ? truth : undefined;
        },
      };
    }
    case 'events': {
      const names = new Map(Object.entries(task.labels).map(([from, to]) => [plain(from), to]));
      return {
        kind: task.kind,
        candidates: known([...new Set([task.headline.label, ...Object.values(task.labels)])]),
        // A row of another label is no action of ours, but its video is watched all the same.
        truthOf: (given) => given.flatMap((label) => idOf(names.get(plain(label)) ?? '') ?? []),
      };
    }
    case 'cost':
      return { kind: task.kind, candidates: [], truthOf: () => [] };
  }
}

function overlap(given: readonly string[], named: readonly string[]): boolean {
  return given.some((label) => named.some((name) => plain(name) === plain(label)));
}

function plain(label: string): string {
  return label.toLowerCase().replace(/[\s_-]+/g, '');
}
