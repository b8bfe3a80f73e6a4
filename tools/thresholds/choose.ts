import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { readClipList } from '../../src/lab/datasets/read-clip-list.ts';
import { resolveTask } from '../../src/lab/evaluation/resolve-task.ts';
import { taskOf } from '../../src/lab/evaluation/tasks.ts';
import { loadModel } from '../../src/inference/weights/load-model.ts';
import { agreementWithDense, describeAgreements, keepsDecisions, type Agreement } from './choose-delta.ts';
import { chooseThresholds, type ChosenThresholds } from './choose-thresholds.ts';
import { SCENES_AS, SCENES_SPLIT, writeHeldOutScenes } from './held-out-scenes.ts';
import { predictionsOf, type ProductRun } from './run-product.ts';

export interface ChoiceOptions extends Pick<ProductRun, 'model' | 'data' | 'split' | 'threads'> {
  readonly deltas: readonly number[];
  /** Of the windows of each set of short clips, the share that must get the dense network's decision. */
  readonly share: number;
  /** Scenes of these seeds count beside the long videos (held-out-scenes.ts). */
  readonly sceneSeeds: readonly number[];
  /** What a second run goes on from. */
  readonly out: string;
}

export interface Choice extends ChosenThresholds {
  readonly delta: number;
  /** By δ, of those that were tried, largest first. */
  readonly agreements: ReadonlyMap<number, ReadonlyMap<string, Agreement>>;
}

/**
 * δ and thresholds of a model on its training split, by the rule of training/README.md and through
 * `evaluate`: δ is the largest that keeps the dense network's decisions on short clips; thresholds of
 * labels with events in long videos have the best F1 at that δ, over these videos and the scenes together.
 *
 * @throws Error where no δ keeps them, a video could not be evaluated, or nothing says how scenes are judged
 */
export async function choose(options: ChoiceOptions): Promise<Choice> {
  const { model, data, split, deltas, share, sceneSeeds, out, threads } = options;
  const { manifest } = await loadModel(model);
  const { labels, background, weights } = manifest;
  const info = { labels, ...(background !== undefined && { backgroundId: labels.indexOf(background) }) };
  const { clips } = await readClipList({ path: data, format: 'manifest', split });
  const tasks = new Map(
    [...new Set(clips.map(({ dataset }) => dataset))].map((dataset) => {
      const task = taskOf(dataset);
      const toleranceS = task.kind === 'events' ? task.toleranceS : 0;
      return [dataset, { settled: resolveTask(task, info), toleranceS }] as const;
    }),
  );
  const named = (kinds: readonly string[]): readonly string[] =>
    [...tasks].filter(([, { settled }]) => kinds.includes(settled.kind)).map(([dataset]) => dataset);
  const [short, long] = [named(['detection', 'choice']), named(['events'])];
  if (sceneSeeds.length > 0 && !long.includes(SCENES_AS))
    throw new Error(`scenes are judged as ${SCENES_AS}, of which ${data} has nothing in split ${split}`);
  const settled = new Map([...tasks].map(([dataset, task]) => [dataset, task.settled]));

  // Other weights or another list have other predictions.
  const folder = path.join(out, `${weights.sha256.slice(0, 12)}-${split}`);
  await mkdir(folder, { recursive: true });
  const predict = (
    datasets: readonly string[],
    name: string,
    sampler: ProductRun['sampler'],
    from: Pick<ProductRun, 'data' | 'split'> = { data, split },
  ) =>
    datasets.length === 0
      ? { clips: [], videos: [] }
      : predictionsOf(path.join(folder, `${name}.ndjson`), {
          ...{ ...from, model, datasets, sampler },
          ...(threads !== undefined && { threads }),
        });

  const dense = await predict(short, 'short-dense', { kind: 'none' });
  const { delta, agreements } = await largestDelta(deltas, share, async (candidate) => {
    const sampled = await predict(short, `short-${candidate}`, { kind: 'ordered', width: candidate });
    return agreementWithDense(dense.clips, sampled.clips, settled);
  });
  const sampler = { kind: 'ordered', width: delta } as const;
  const watched = [...(await predict(long, `long-${delta}`, sampler)).videos];
  if (sceneSeeds.length > 0) {
    const name = `scenes-${sceneSeeds.join('-')}`;
    const from = { data: await writeHeldOutScenes(path.join(out, name), sceneSeeds), split: SCENES_SPLIT };
    watched.push(...(await predict([SCENES_AS], `${name}-${delta}`, sampler, from)).videos);
  }
  return { delta, agreements, ...chooseThresholds(watched, manifest, tasks) };
}

/** From the largest down, until one keeps the decisions. */
async function largestDelta(
  deltas: readonly number[],
  share: number,
  agreementAt: (delta: number) => Promise<ReadonlyMap<string, Agreement>>,
): Promise<Pick<Choice, 'delta' | 'agreements'>> {
  const agreements = new Map<number, ReadonlyMap<string, Agreement>>();
  for (const delta of [...deltas].sort((a, b) => b - a)) {
    const agreement = await agreementAt(delta);
    agreements.set(delta, agreement);
    if (keepsDecisions(agreement, share)) return { delta, agreements };
  }
  const tried = [...agreements].map(([delta, agreement]) => describeAgreements(delta, agreement));
  throw new Error(
    [`no δ keeps ${share * 100} % of the dense decisions; --deltas takes smaller ones`, ...tried].join('\n'),
  );
}
