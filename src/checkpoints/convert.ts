import { ActionstreamError } from '../core/errors.ts';
import type { WeightTensor, Weights } from '../inference/model.ts';
import { buildNetwork } from '../inference/network/build.ts';
import type { Network, NetworkNode, NetworkOptions } from '../inference/network/graph.ts';
import { countOf, shapeText, type Checkpoint, type CheckpointTensor } from './checkpoint.ts';
import type { FormatMatch } from './formats/index.ts';
import { listLeftOut, type LeftOut } from './left-out.ts';
import { refuse } from './refuse.ts';
import { sourcesOf, type TensorSource } from './sources.ts';
import { unitOf } from './formats/unit.ts';

export interface Converted {
  readonly network: Network;
  /** Under our names, in node order. */
  readonly weights: Weights;
  /** Their name of each tensor that was used, each once. */
  readonly used: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** Problems named in one error; the rest is counted. */
const NAMED = 5;

/** A file may claim anything; twice the width of I3D and S3D (multiplier 1) leaves room for wide ones. */
const MAX_WIDTH = 4;

/**
 * A checkpoint as a network of ours and its weights. Width and classes come from the
 * shapes; `overrides` are what may differ without other weights: frames, size, SGS.
 * @throws ActionstreamError MODEL_INVALID naming file, tensor, shape found and
 *   shape expected; USAGE for a size at which the format's arithmetic is not ours
 */
export function convertCheckpoint(
  checkpoint: Checkpoint,
  { format, prefix }: FormatMatch,
  overrides: Partial<NetworkOptions>,
): Converted {
  const { origin } = checkpoint;
  const tensors = new Map(
    [...checkpoint.tensors].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
    ),
  );
  const base = { ...format.network(tensors), ...overrides };
  const network = buildNetwork({ ...base, ...inferSizes(base, tensors, format, origin) });
  const unsupported = format.problemOf?.(network.options);
  if (unsupported !== undefined)
    throw new ActionstreamError('USAGE', `${origin}: ${format.name} takes ${unsupported}`);
  const weights = new Map<string, WeightTensor>();
  const used = new Set<string>();
  const problems: string[] = [];
  for (const source of network.nodes.flatMap((node) => sourcesOf(node, format))) {
    const problem = take(source, tensors, weights);
    if (problem !== undefined) problems.push(problem);
    if (source.theirs !== undefined) used.add(source.theirs);
  }
  if (problems.length > 0) {
    const rest = problems.length - NAMED;
    const list = problems.slice(0, NAMED).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
    throw refuse(origin, `${problems.length} tensors do not fit ${format.name}: ${list}`);
  }
  return {
    network,
    weights,
    used: [...used].map((name) => `${prefix}${name}`),
    leftOut: listLeftOut(checkpoint, { format, prefix }, used),
  };
}

/** What is wrong with the tensor; undefined where it went into the weights. */
function take(
  { ours, theirs, shape, expected, arrange, constant }: TensorSource,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  weights: Map<string, WeightTensor>,
): string | undefined {
  if (theirs === undefined) {
    weights.set(ours, { shape, data: new Float32Array(countOf(shape)).fill(constant ?? 0) });
    return undefined;
  }
  const tensor = tensors.get(theirs);
  if (!tensor) return `${theirs}: missing, expected ${shapeText(expected)}`;
  if (!fits(tensor.shape, expected)) {
    return `${theirs}: found ${shapeText(tensor.shape)}, expected ${shapeText(expected)}`;
  }
  const read = tensor.read();
  const bad = read.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) return `${theirs}: value ${bad} is ${read[bad] ?? ''}, expected finite numbers`;
  weights.set(ours, { shape, data: arrange ? arrange(read) : read });
  return undefined;
}

/**
 * Equal, or equal but for axes of length one: a classifier is a linear layer
 * here and a 1×1×1 convolution there.
 */
function fits(found: readonly number[], expected: readonly number[]): boolean {
  const squeezed = (shape: readonly number[]): string => shape.filter((n) => n !== 1).join();
  return squeezed(found) === squeezed(expected);
}

/** Width from the stem, classes from the classifier. */
function inferSizes(
  options: Partial<NetworkOptions>,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  format: FormatMatch['format'],
  origin: string,
): Partial<NetworkOptions> {
  const outputs = (name: string): number | undefined =>
    tensors.get(name)?.shape.at(format.leaves?.channelsLast === true ? -1 : 0);
  const weight = format.leaves?.weight ?? '.weight';
  const stem = `${format.unit(unitOf(stemOf(buildNetwork(options).nodes))).conv}${weight}`;
  const channels = outputs(stem) ?? 0;
  const widthMultiplier = channels / STEM_CHANNELS;
  if (!(widthMultiplier > 0 && widthMultiplier <= MAX_WIDTH)) {
    throw refuse(
      origin,
      `${stem}: gives ${channels} channels, expected ${STEM_CHANNELS} or a few times as many`,
    );
  }
  if (format.head === undefined) return { widthMultiplier };
  const head = `${format.head}${weight}`;
  const classes = outputs(head) ?? 0;
  if (classes < 1 || classes > MAX_CLASSES) {
    throw refuse(origin, `${head}: gives ${classes} classes, expected 1 to ${MAX_CLASSES}`);
  }
  return { widthMultiplier, classes };
}

const STEM_CHANNELS = 64;
const MAX_CLASSES = 100_000;

function stemOf(nodes: readonly NetworkNode[]): string {
  const stem = nodes.find((node) => node.op === 'conv');
  return stem?.name ?? '';
}
