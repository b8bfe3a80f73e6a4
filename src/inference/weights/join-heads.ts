import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ActionstreamError } from '../../core/errors.ts';
import type { Model, ModelManifest, WeightTensor } from '../model.ts';
import { buildNetwork } from '../network/build.ts';
import type { HeadNode } from '../network/graph.ts';
import { headNames } from '../network/weight-shapes.ts';

/** A row of the joined head: which row of which model. */
interface Row {
  readonly label: string;
  readonly model: number;
  readonly row: number;
}

/**
 * One model with the heads of all: their labels cost one pass of the backbone that they share. Of several
 * backgrounds the first one stays: no event comes of them. Sampler and stride are the first model's.
 * @param models at least one
 * @throws ActionstreamError MODEL_INVALID as `joinManifests`, or where backbones differ
 */
export function joinHeads(models: readonly Model[]): Model {
  const manifests = models.map(({ manifest }) => manifest);
  const manifest = joinManifests(manifests);
  const [first, ...others] = models as readonly [Model, ...Model[]];
  const head = headOf(manifest);
  for (const other of others) refuseOtherBackbone(first, other, Object.values(head.names));
  const rows = rowsOf(manifests);
  const part = (name: string, size: number): Float32Array => {
    const data = new Float32Array(rows.length * size);
    rows.forEach(({ model, row }, index) => {
      const values = models[model]?.weights.get(name)?.data.subarray(row * size, (row + 1) * size);
      data.set(values ?? [], index * size);
    });
    return data;
  };
  const { weight, bias } = head.names;
  const joined: readonly (readonly [string, WeightTensor])[] = [
    [weight, { shape: [rows.length, head.inChannels], data: part(weight, head.inChannels) }],
    [bias, { shape: [rows.length], data: part(bias, 1) }],
  ];
  const digest = createHash('sha256').update(models.map((model) => model.digest).join(' '));
  return {
    manifest,
    weights: new Map([...first.weights, ...joined]),
    digest: `sha256:${digest.digest('hex')}`,
  };
}

/**
 * What the joined model says of itself; weights are not read.
 * @throws ActionstreamError MODEL_INVALID where they cannot share a pass, or give a label twice
 */
export function joinManifests(manifests: readonly ModelManifest[]): ModelManifest {
  const [first, ...others] = manifests as readonly [ModelManifest, ...ModelManifest[]];
  if (others.length === 0) return first;
  for (const manifest of manifests) refuseDistribution(manifest);
  for (const other of others) refuseOtherPass(first, other);
  const rows = rowsOf(manifests);
  const twice = rows.find(({ label }, index) => rows.findIndex((row) => row.label === label) < index);
  if (twice) {
    const names = manifests.filter(({ labels }) => labels.includes(twice.label)).map(({ id }) => id);
    throw invalid(names, `both have the label ${twice.label}, and an event could not say whose it is`);
  }
  return {
    ...first,
    id: manifests.map(({ id }) => id).join('+'),
    version: manifests.map(({ version }) => version).join('+'),
    network: { ...first.network, classes: rows.length },
    labels: rows.map(({ label }) => label),
    ...backgroundOf(manifests),
    thresholds: Object.assign({}, ...manifests.map(({ thresholds }) => thresholds)) as NonNullable<
      ModelManifest['thresholds']
    >,
  };
}

function rowsOf(manifests: readonly ModelManifest[]): readonly Row[] {
  const owner = manifests.findIndex(({ background }) => background !== undefined);
  return manifests.flatMap(({ labels, background }, model) =>
    labels.flatMap((label, row) => (label === background && model !== owner ? [] : [{ label, model, row }])),
  );
}

function backgroundOf(manifests: readonly ModelManifest[]): Pick<ModelManifest, 'background'> {
  const background = manifests.find((manifest) => manifest.background !== undefined)?.background;
  return background === undefined ? {} : { background };
}

function refuseDistribution({ id, activation, network }: ModelManifest): void {
  if (activation === 'sigmoid' && network.classifier) return;
  throw invalid([id], 'its outputs are no labels that each stand for themselves (activation sigmoid)');
}

/** Frames, arithmetic and rate decide the features; the first difference is named. */
function refuseOtherPass(first: ModelManifest, other: ModelManifest): void {
  const passOf = ({ network, clip, picture }: ModelManifest): Readonly<Record<string, unknown>> => ({
    ...network,
    classes: undefined,
    fps: clip.fps,
    picture,
  });
  const [a, b] = [passOf(first), passOf(other)];
  const differs = [...new Set([...Object.keys(a), ...Object.keys(b)])].find(
    (key) => !isDeepStrictEqual(a[key], b[key]),
  );
  if (differs === undefined) return;
  const values = [a[differs], b[differs]].map((value) => JSON.stringify(value ?? null)).join(' and ');
  throw invalid([first.id, other.id], `they differ in ${differs}: ${values}`);
}

function refuseOtherBackbone(first: Model, other: Model, headTensors: readonly string[]): void {
  for (const [name, { data }] of first.weights) {
    const same = other.weights.get(name)?.data;
    if (headTensors.includes(name) || (same && bytesOf(data).equals(bytesOf(same)))) continue;
    throw invalid([first.manifest.id, other.manifest.id], `their backbones differ, first in ${name}`);
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function headOf({ network, id }: ModelManifest): {
  readonly names: { readonly weight: string; readonly bias: string };
  readonly inChannels: number;
} {
  const head = buildNetwork(network).nodes.at(-1) as HeadNode;
  const names = headNames(head);
  if (!names) throw invalid([id], 'it has no classifier');
  return { names, inChannels: head.inChannels };
}

function invalid(ids: readonly string[], why: string): ActionstreamError {
  return new ActionstreamError(
    'MODEL_INVALID',
    `${ids.join(', ')}: cannot share one pass of a backbone: ${why}; teach them on one backbone with the same flags, or run them apart`,
  );
}
