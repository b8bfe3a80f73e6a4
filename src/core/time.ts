/** RFC 3339 UTC with milliseconds, as everything we publish: `2026-11-22T10:15:03.240Z`. */
export function toRfc3339(epochMs: number): string {
  return new Date(Math.round(epochMs)).toISOString();
}

/** Milliseconds on a clock that never steps; only differences mean anything. */
export function monotonicMs(): number {
  return performance.now();
}

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `30s`, `5m`, `2h`, `7d` → milliseconds; undefined where the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) return undefined;
  return Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
}
