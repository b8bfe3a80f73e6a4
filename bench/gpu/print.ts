import { median } from '../../src/core/median.ts';
import { quantile } from '../../src/lab/bench/statistics.ts';
import type { GpuCase, GpuTimes } from './cases.ts';

interface CaseResult extends Pick<GpuCase, 'name' | 'batch' | 'stride' | 'readyS'> {
  /** Largest difference of a logit from the CPU engine's with the same steps kept. */
  readonly difference: number;
  readonly rounds: readonly GpuTimes[];
}

export interface NetworkResult {
  name: string;
  multiplyAdds: number;
  inputSteps: number;
  /** Largest logit of the CPU engine, without its sign. */
  scale: number;
  cases: readonly CaseResult[];
  /** Clips a second of so many engines at once. */
  together: Readonly<Record<string, number>>;
}

/**
 * A line for each case. `inside`: ours, in the engine's process; the peer's,
 * with the pixels on the card already.
 */
export function tableLines({
  name,
  inputSteps,
  multiplyAdds,
  scale,
  cases,
}: NetworkResult): readonly string[] {
  return [
    `${name}: ${(multiplyAdds / 1e9).toFixed(2)} G multiply-adds, largest logit ${scale.toPrecision(3)}`,
    'case                             batch  kept  ms a call: median, 5 to 95 %    inside  clips/s  difference',
    ...cases.map((one) => caseLine(one, inputSteps)),
  ];
}

function caseLine({ name, batch, stride, rounds, difference }: CaseResult, inputSteps: number): string {
  const all = rounds.flatMap(({ ms }) => ms);
  const inner = median(rounds.flatMap(({ innerMs }) => innerMs));
  const spread = `${quantile(all, 0.05).toFixed(2)}–${quantile(all, 0.95).toFixed(2)}`;
  return [
    name.padEnd(32),
    String(batch).padStart(5),
    String(inputSteps / stride).padStart(5),
    `${median(all).toFixed(2).padStart(9)}  ${spread}`.padEnd(30),
    inner.toFixed(2).padStart(8),
    ((1000 * batch) / median(all)).toFixed(1).padStart(8),
    difference.toExponential(1).padStart(11),
  ].join(' ');
}
