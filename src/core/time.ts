/** RFC 3339 UTC with milliseconds, as everything we publish: `2026-11-22T10:15:03.240Z`. */
export function toRfc3339(epochMs: number): string {
  return new Date(Math.round(epochMs)).toISOString();
}

/** Milliseconds on a clock that never steps; only differences mean anything. */
export function monotonicMs(): number {
  return performance.now();
}

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A hundred years. */
const LONGEST_MS = 36_500 * UNITS_MS.d;

/**
 * `500ms`, `30s`, `5m`, `2h`, `7d` → milliseconds; undefined where the text is
 * no duration, or one beyond a hundred years.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim());
  if (!match) return undefined;
  const ms = Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
  return ms <= LONGEST_MS ? ms : undefined;
}

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * An instant of RFC 3339, with its offset → milliseconds since 1970; undefined
 * for anything else: no zone, no time of day is guessed.
 */
export function parseInstant(text: string): number | undefined {
  const [, date = '', time = '', fraction = '', offset = ''] = RFC3339.exec(text.trim()) ?? [];
  if (date === '') return undefined;
  const local = new Date(`${date}T${time}Z`);
  // Date takes 30 February for 2 March, and 24:00:00 for the next day.
  if (Number.isNaN(local.getTime()) || local.toISOString().slice(0, 19) !== `${date}T${time}`)
    return undefined;
  const ms = Date.parse(`${date}T${time}${fraction.slice(0, 4)}${offset.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : ms;
}
