const UNITS = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;
const DECIMAL_UNITS = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 } as const;

/** `256MiB` (2^20 bytes each), `256MB` (10^6), `100B` → bytes; undefined where the text is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B$/.exec(text.trim());
  if (!match) return undefined;
  const units = match[3] === 'i' ? UNITS : DECIMAL_UNITS;
  return Math.round(Number(match[1]) * units[match[2] as keyof typeof UNITS]);
}
