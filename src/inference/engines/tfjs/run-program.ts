import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../../aborts.ts';
import type { LowerProgram } from './compile-network.ts';
import type { Activation } from './layer.ts';
import type { Step } from './program.ts';
import type { Tensor2D, TensorLibrary } from './tensorflow.ts';

/** Pixels → the activation that enters the cut or the head; the caller frees it. */
export async function runLower(
  tf: TensorLibrary,
  { encode, steps, size }: LowerProgram,
  {
    pixels,
    frames,
    signal,
  }: { readonly pixels: Uint8Array; readonly frames: number; readonly signal: AbortSignal },
): Promise<Activation> {
  const encoded = tf.tidy(() => encode(tf.tensor4d(new Float32Array(pixels), [frames, size[0], size[1], 3])));
  return runSteps(tf, steps, new Map([['input', encoded]]), signal);
}

/**
 * Runs the layers in order and returns the activation of the last one, which the caller frees; all
 * others are freed, also where a layer fails or the signal aborts. Messages come through between
 * stages.
 */
export async function runSteps(
  tf: TensorLibrary,
  steps: readonly Step[],
  values: Map<string, Activation>,
  signal: AbortSignal,
): Promise<Activation> {
  let stage: string | undefined;
  let last = [...values.keys()].at(-1) ?? '';
  try {
    for (const step of steps) {
      if (step.stage !== stage) await letMessagesIn(signal);
      stage = step.stage;
      const inputs = step.inputs.map((name) => valueOf(values, name));
      values.set(
        step.name,
        tf.tidy(() => step.layer(...inputs)),
      );
      last = step.name;
      for (const name of step.free) {
        valueOf(values, name).dispose();
        values.delete(name);
      }
    }
    const output = valueOf(values, last);
    values.delete(last);
    return output;
  } finally {
    for (const value of values.values()) value.dispose();
  }
}

/** What `read` makes of an activation, which is freed then. */
export async function readAndFree<T>(value: Activation, read: (value: Activation) => Promise<T>): Promise<T> {
  try {
    return await read(value);
  } finally {
    value.dispose();
  }
}

interface Rows {
  readonly length: number;
  readonly size: number;
  readonly data: Float32Array<ArrayBuffer>;
}

/** A matrix as it lies in memory; frees the tensor. */
export async function readRows(rows: Tensor2D): Promise<Rows> {
  const [length, size] = rows.shape;
  try {
    return { length, size, data: new Float32Array(await rows.data()) };
  } finally {
    rows.dispose();
  }
}

/** Lets an abort come through: the library computes on this thread, and messages wait meanwhile. */
async function letMessagesIn(signal: AbortSignal): Promise<void> {
  await setImmediate();
  throwIfAborted(signal);
}

function valueOf(values: ReadonlyMap<string, Activation>, name: string): Activation {
  const value = values.get(name);
  if (!value) throw new RangeError(`node "${name}" is used before it is computed`);
  return value;
}
