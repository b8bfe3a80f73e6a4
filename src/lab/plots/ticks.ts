export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
}

/**
 * Round numbers (1, 2 or 5 times a power of ten) over the values; given ends are kept. About `count` ticks.
 */
export function scaleOf(
  values: readonly number[],
  { from, to, count = 5 }: { readonly from?: number; readonly to?: number; readonly count?: number } = {},
): Scale {
  const low = from ?? Math.min(...values);
  const high = to ?? Math.max(...values);
  const span = high > low ? high - low : Math.abs(high) || 1;
  const step = roundStep(span / count);
  const first = from ?? Math.floor(low / step + 1e-9) * step;
  const last = to ?? Math.ceil((high > low ? high : low + span) / step - 1e-9) * step;
  const ticks: number[] = [];
  for (let i = Math.ceil(first / step - 1e-9); i * step <= last + step * 1e-9; i++)
    ticks.push(tidy(i * step));
  return { from: first, to: last, ticks };
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  return factor * power;
}

/** Without the dust of binary fractions: 0.30000000000000004 is 0.3. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
