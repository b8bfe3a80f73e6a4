import { channelsInMemory, placesOf } from './blocked-activation.ts';

export interface BlockedFilter {
  readonly data: Float32Array;
  /** [output channels, input channels, …taps], channels as they stand in memory. */
  readonly channels: readonly [outputs: number, inputs: number];
}

export interface FilterLayout {
  /** Output channels. */
  readonly outputs: number;
  /** Input channels, as they lie in memory one run after the other. */
  readonly inputRuns: readonly number[];
  /** S: channels of a block. */
  readonly size: number;
  /** The input is not blocked. Default false. */
  readonly isPlain?: boolean;
}

/**
 * Weights [o, i, taps] in the order in which blocked convolutions read them: [o/S, i/S, taps, S of
 * i, S of o], or [o/S, i, taps, S of o] where the input is plain and has fewer than S channels.
 * Channels that only fill a block are zero.
 */
export function blockFilter(
  weight: Float32Array,
  { outputs, inputRuns, size, isPlain = false }: FilterLayout,
): BlockedFilter {
  const inputs = inputRuns.reduce((sum, run) => sum + run, 0);
  const taps = weight.length / (outputs * inputs);
  const places = isPlain ? Array.from({ length: inputs }, (_, i) => i) : placesOf(inputRuns, size);
  const inner = isPlain ? 1 : size;
  const rows = isPlain ? inputs : channelsInMemory(inputRuns, size);
  const columns = Math.ceil(outputs / size) * size;
  const data = new Float32Array(columns * rows * taps);
  for (let o = 0; o < outputs; o++) {
    const outer = Math.floor(o / size) * (rows / inner);
    places.forEach((place, i) => {
      const base = (outer + Math.floor(place / inner)) * taps;
      for (let tap = 0; tap < taps; tap++) {
        data[((base + tap) * inner + (place % inner)) * size + (o % size)] =
          weight[(o * inputs + i) * taps + tap] ?? 0;
      }
    });
  }
  return { data, channels: [columns, rows] };
}

/** One value a channel, filled up with zeros. */
export function blockBias(bias: Float32Array, size: number): Float32Array {
  const padded = new Float32Array(Math.ceil(bias.length / size) * size);
  padded.set(bias);
  return padded;
}
