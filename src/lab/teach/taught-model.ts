import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { saveModel } from '../../checkpoints/save-model.ts';
import { ActionstreamError, messageOf } from '../../core/errors.ts';
import type { ModelManifest, WeightTensor } from '../../inference/model.ts';
import { buildNetwork } from '../../inference/network/build.ts';
import { headNames } from '../../inference/network/weight-shapes.ts';
import { writeSafetensors } from '../../inference/weights/safetensors.ts';
import type { Figure } from '../plots/figure.ts';
import { writeFigure } from '../plots/write-figure.ts';
import type { Backbone } from './backbone.ts';
import { BACKGROUND, type TaughtLabel } from './teach-labels.ts';
import type { TeachRecord, TeachRequest } from './types.ts';

/** What of the threshold an episode may fall to before it ends: as in the shipped models. */
const OFF_SHARE = 0.9;

export interface TaughtModel {
  readonly manifest: ModelManifest;
  /** The bytes of its .safetensors file. */
  readonly weights: Uint8Array;
}

/** The backbone with the taught head: a model like any other. Of heads only, the backbone's name is kept. */
export function taughtModel(
  { model, sampler, choice, picture }: Backbone,
  taught: readonly TaughtLabel[],
  { request, id, sources }: TaughtFrom,
): TaughtModel {
  const { manifest: own } = model;
  const labels = taught.map(({ label }) => label);
  const network = buildNetwork({ ...own.network, classifier: true, classes: labels.length });
  const { headsOnly } = request;
  const weights = new Map([...(headsOnly ? [] : model.weights), ...headTensors(network, taught)]);
  const base = { model: choice.model, sha256: own.weights.sha256 };
  const bytes = writeSafetensors(weights);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { fps = own.clip.fps } = request.window;
  const stride = request.window.stride ?? Math.min(own.clip.stride, Math.ceil(network.options.frames / 2));
  const thresholds = taught
    .filter(({ label }) => label !== BACKGROUND)
    .map(({ label, threshold: on }) => [label, { on, off: Number((OFF_SHARE * on).toFixed(3)) }] as const);
  const manifest: ModelManifest = {
    id,
    version: sha256.slice(0, 8),
    network: network.options,
    labels,
    ...(labels.includes(BACKGROUND) && { background: BACKGROUND }),
    activation: 'sigmoid',
    sampler,
    clip: { fps, stride },
    ...(picture && { picture }),
    weights: { file: 'model.safetensors', sha256, ...(headsOnly && { base }) },
    thresholds: Object.fromEntries(thresholds),
    provenance: {
      date: new Date().toISOString().slice(0, 10),
      command: request.command,
      sources: [...backboneSources(own), ...sources],
    },
  };
  return { manifest, weights: bytes };
}

interface TaughtFrom {
  readonly request: Pick<TeachRequest, 'window' | 'command' | 'headsOnly'>;
  readonly id: string;
  /** What the head learned from. */
  readonly sources: Sources;
}

type Sources = NonNullable<ModelManifest['provenance']>['sources'];

function headTensors(
  network: ReturnType<typeof buildNetwork>,
  taught: readonly TaughtLabel[],
): readonly (readonly [name: string, tensor: WeightTensor])[] {
  const head = network.nodes.at(-1);
  const names = head?.op === 'head' ? headNames(head) : undefined;
  if (head?.op !== 'head' || !names) throw new RangeError('a network ends in a head with a classifier');
  const weight = Float32Array.from(taught.flatMap((one) => Array.from(one.head.weights)));
  const bias = Float32Array.from(taught, (one) => one.head.bias);
  return [
    [names.weight, { shape: [taught.length, head.inChannels], data: weight }],
    [names.bias, { shape: [taught.length], data: bias }],
  ];
}

function backboneSources({ id, version, provenance }: ModelManifest): Sources {
  const own = provenance?.sources ?? [{ name: 'not stated', licence: 'not stated', use: 'not stated' }];
  return own.map((source) => ({ ...source, use: `${source.use} of the backbone ${id} ${version}` }));
}

/** @throws ActionstreamError USAGE for a folder that holds anything */
export async function refuseFull(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new ActionstreamError('USAGE', `--out ${folder}: ${messageOf(error)}`, { cause: error });
  });
  if (entries.length === 0) return;
  throw new ActionstreamError(
    'USAGE',
    `--out ${folder} holds files already: remove them, or name another folder`,
  );
}

/**
 * Model, record and confusion figure: written beside the folder and moved there when all is whole.
 * @throws ActionstreamError USAGE where that cannot be written
 */
export async function saveTaught(folder: string, model: TaughtModel, record: TeachRecord): Promise<void> {
  const part = `${path.resolve(folder)}.part-${randomUUID().slice(0, 8)}`;
  try {
    await saveModel(part, model);
    await writeFile(path.join(part, 'teach.json'), `${JSON.stringify(record, undefined, 1)}\n`);
    await writeFigure(part, 'confusion', confusionFigure(record));
    await mkdir(path.dirname(path.resolve(folder)), { recursive: true });
    await rename(part, folder);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    if (error instanceof ActionstreamError) throw error;
    throw new ActionstreamError('USAGE', `--out ${folder}: cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function confusionFigure({ model, clips, groups, labels, confusion, cross_validation }: TeachRecord): Figure {
  const counts = labels.map((truth) => labels.map((predicted) => confusion[truth]?.[predicted] ?? 0));
  const right = Math.round(100 * cross_validation.accuracy);
  return {
    title: model,
    note: `${clips} clips of ${groups} groups, by heads of other groups: ${right} % right`,
    panels: [
      {
        kind: 'matrix',
        title: 'Confusion',
        labels,
        rows: 'rows: what a clip shows',
        columns: 'columns: what the head says',
        counts,
      },
    ],
  };
}
