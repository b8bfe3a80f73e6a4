import type { Checkpoint, CheckpointTensor } from './checkpoint.ts';
import type { FormatMatch } from './formats/index.ts';
import { refuse } from './refuse.ts';

/** A tensor of the file that the network does not take, and why. */
export interface LeftOut {
  readonly name: string;
  readonly reason: string;
}

/** The reason of a tensor that nobody knows: the caller may want to say so aloud. */
export const UNKNOWN_TENSOR = 'no layer of this network asks for it';

/**
 * Every tensor that was not used.
 * @throws ActionstreamError MODEL_INVALID where a tensor that stands twice has two values
 */
export function listLeftOut(
  { origin, tensors }: Checkpoint,
  { format, prefix }: FormatMatch,
  used: ReadonlySet<string>,
): readonly LeftOut[] {
  const reasonOf = (name: string, tensor: CheckpointTensor): string => {
    if (!name.startsWith(prefix)) return `stands outside ${prefix}`;
    const own = name.slice(prefix.length);
    if (own.endsWith('num_batches_tracked')) return 'counts steps of the training';
    const twin = format.twin?.(own);
    if (twin === undefined || !used.has(twin)) return format.leftOut?.(own) ?? UNKNOWN_TENSOR;
    checkEqual(tensor, tensors.get(`${prefix}${twin}`), `${origin}: ${name}`, `${prefix}${twin}`);
    return `is ${prefix}${twin} once more`;
  };
  return [...tensors]
    .filter(([name]) => !(name.startsWith(prefix) && used.has(name.slice(prefix.length))))
    .map(([name, tensor]) => ({ name, reason: reasonOf(name, tensor) }));
}

function checkEqual(
  tensor: CheckpointTensor,
  twin: CheckpointTensor | undefined,
  place: string,
  name: string,
): void {
  const [values, others] = [tensor.read(), twin?.read()];
  if (values.length !== others?.length || values.some((value, i) => value !== others[i])) {
    throw refuse(
      place,
      `expected the values of ${name}, which is the same tensor: the file contradicts itself`,
    );
  }
}
