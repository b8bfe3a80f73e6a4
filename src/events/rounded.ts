/** To so many decimals: scores and latencies carry no more information, and payloads stay readable. */
export function rounded(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

export const SCORE_DECIMALS = 6;
