import { ActionstreamError } from '../../core/errors.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { refuse } from '../refuse.ts';
import { coclrS3dg } from './coclr.ts';
import type { CheckpointFormat } from './format.ts';
import { hassony2I3d, i3dJax, kineticsI3d, piergiajI3d } from './i3d.ts';
import { kyleminS3d } from './kylemin.ts';
import { milnceS3d } from './milnce.ts';
import { tfSlimS3dg } from './tf-slim.ts';
import { torchvisionS3d } from './torchvision.ts';

const FORMATS: readonly CheckpointFormat[] = [
  torchvisionS3d,
  kyleminS3d,
  milnceS3d,
  coclrS3dg,
  piergiajI3d,
  hassony2I3d,
  kineticsI3d,
  i3dJax,
  tfSlimS3dg,
];

export const formatNames: readonly string[] = FORMATS.map(({ name }) => name);

export interface FormatMatch {
  readonly format: CheckpointFormat;
  /**
   * What stands before the format's names, such as `module.`; the first network of a file that holds several.
   */
  readonly prefix: string;
}

/**
 * The format of a checkpoint by its tensor names. With a name instead of `auto`
 * the file must be of that format.
 * @throws ActionstreamError MODEL_INVALID where no format fits, USAGE for an unknown name
 */
export function matchFormat({ origin, tensors }: Checkpoint, from: string): FormatMatch {
  const candidates = from === 'auto' ? FORMATS : FORMATS.filter(({ name }) => name === from);
  if (candidates.length === 0) {
    throw new ActionstreamError(
      'USAGE',
      `no checkpoint format "${from}"; known: auto, ${formatNames.join(', ')}`,
    );
  }
  for (const format of candidates) {
    const prefix = prefixOf(format, tensors);
    if (prefix !== undefined) return { format, prefix };
  }
  const incomplete = candidates.flatMap((format) => partOf(format, tensors) ?? []);
  if (incomplete[0] !== undefined) throw refuse(origin, incomplete[0]);
  const names = [...tensors.keys()].slice(0, 5).join(', ');
  const wanted = candidates.map(({ name, anchors }) => `${name} (${anchors[0] ?? ''}, …)`).join(', ');
  throw refuse(origin, `its ${tensors.size} tensors (${names}, …) are named as in none of: ${wanted}`);
}

/**
 * Says which of a format's marks a file lacks that has all but one, such as a
 * network saved without its classifier.
 */
function partOf({ name, anchors }: CheckpointFormat, tensors: Checkpoint['tensors']): string | undefined {
  const [first = '', ...others] = anchors;
  const prefix = [...tensors.keys()]
    .filter((key) => key.endsWith(first))
    .map((key) => key.slice(0, key.length - first.length))
    .find((before) => /^$|[./]$/.test(before));
  if (prefix === undefined || anchors.length < 3) return undefined;
  const missing = others.filter((anchor) => !tensors.has(`${prefix}${anchor}`));
  if (missing.length !== 1) return undefined;
  return `is ${name} but for ${prefix}${missing.join()}, which it lacks; save the whole network, with its classifier`;
}

function prefixOf({ anchors }: CheckpointFormat, tensors: Checkpoint['tensors']): string | undefined {
  const [first = ''] = anchors;
  return [...tensors.keys()]
    .filter((name) => name.endsWith(first))
    .map((name) => name.slice(0, name.length - first.length))
    .find(
      (prefix) => /^$|[./]$/.test(prefix) && anchors.every((anchor) => tensors.has(`${prefix}${anchor}`)),
    );
}
