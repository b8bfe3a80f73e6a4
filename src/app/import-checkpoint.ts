import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { importModel, type ImportedModel } from '../checkpoints/import-model.ts';
import { loadCheckpoint, parseCheckpoint } from '../checkpoints/read-checkpoint.ts';
import { saveModel } from '../checkpoints/save-model.ts';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { parseLabelFile, type LabelFile } from '../labels/label-file.ts';
import { labelMap, labelMapNames } from '../labels/label-maps.ts';
import type { ModelManifest } from '../inference/model.ts';
import type { NetworkOptions } from '../inference/network/graph.ts';
import { DEFAULT_SAMPLER } from '../sampler/index.ts';
import { settingsOfFlags } from '../config/flag-settings.ts';
import { arithmeticOverrides, networkOverrides, samplerOptions, configuredSgs } from './model-choice.ts';

/** What `models import` and `models pull` take. */
export interface ImportFlags {
  /** A label map's name or a file of one label a line. */
  readonly labels?: string;
  /** Of sampler and network given as flags, in the shape of the configuration file. */
  readonly settings?: object;
  readonly fp16?: true;
  readonly id?: string;
}

export interface ImportReport extends Pick<ImportedModel, 'format' | 'manifest' | 'used' | 'leftOut'> {
  readonly container: string;
  readonly folder: string;
  /** How the labels were read, where that may surprise. */
  readonly note?: string;
}

/**
 * `models import`: a checkpoint file as a model folder.
 * @throws ActionstreamError MODEL_INVALID, USAGE
 */
export async function importFile(
  file: string,
  folder: string,
  { from, command, ...flags }: ImportFlags & { readonly from: string; readonly command: string },
): Promise<ImportReport> {
  refuseTaken(folder);
  return importLoaded(await loadCheckpoint(file), folder, { ...flags, from, command });
}

/** The same of a checkpoint in memory; `origin` names it in errors. */
export function importBytes(
  bytes: Uint8Array,
  folder: string,
  { origin, ...flags }: LoadedFlags & { readonly origin: string },
): Promise<ImportReport> {
  refuseTaken(folder);
  return importLoaded({ checkpoint: parseCheckpoint(bytes, origin), bytes }, folder, flags);
}

interface LoadedFlags extends ImportFlags {
  readonly from: string;
  readonly command: string;
  /** What its publisher states. */
  readonly licence?: string;
  /** How it samples where no flag says otherwise. */
  readonly own?: Pick<ModelManifest, 'sampler'> & {
    readonly network: Pick<NetworkOptions, 'sgs' | 'temporalEdge' | 'timeMeans'>;
  };
}

async function importLoaded(
  { checkpoint, bytes }: Awaited<ReturnType<typeof loadCheckpoint>>,
  folder: string,
  { from, command, licence, own, ...flags }: LoadedFlags,
): Promise<ImportReport> {
  const { labels, note } = flags.labels === undefined ? {} : await readLabels(flags.labels);
  const { network, sampler } = settingsOfFlags(flags.settings ?? {});
  const { sgs } = configuredSgs(own?.network ?? {}, sampler);
  const imported = importModel(checkpoint, {
    from,
    network: {
      ...own?.network,
      ...networkOverrides(network),
      ...arithmeticOverrides(sampler),
      ...(sgs && { sgs }),
    },
    sampler: samplerOptions(sampler, own?.sampler ?? (sgs ? DEFAULT_SAMPLER : { kind: 'none' })),
    half: flags.fp16 === true,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    command,
    date: new Date().toISOString().slice(0, 10),
    ...(labels && { labels }),
    ...(licence !== undefined && { licence }),
    ...(flags.id !== undefined && { id: flags.id }),
  });
  await saveModel(folder, imported);
  return {
    ...imported,
    container: checkpoint.container,
    folder,
    ...(note !== undefined && { note: `labels ${flags.labels ?? ''}: ${note}` }),
  };
}

/** Before the work, not after it. @throws USAGE */
export function refuseTaken(folder: string): void {
  if (!existsSync(path.join(folder, 'manifest.json'))) return;
  throw new ActionstreamError('USAGE', `${folder} holds a model already: remove it, or choose another --out`);
}

async function readLabels(text: string): Promise<LabelFile> {
  if ((labelMapNames as readonly string[]).includes(text)) return { labels: labelMap(text) };
  let bytes: Uint8Array;
  try {
    bytes = await readFile(text);
  } catch (error) {
    throw new ActionstreamError(
      'USAGE',
      `labels ${text}: neither a file (${messageOf(error)}) nor one of ${labelMapNames.join(', ')}`,
    );
  }
  return parseLabelFile(bytes, text);
}
