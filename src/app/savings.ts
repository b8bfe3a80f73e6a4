import { queryDays, savedRatio, type DayOfCompute, type SumOfCompute } from '../sink/history.ts';
import { openPostgresReader } from '../sink/postgres/reader.ts';
import type { AppContext } from './context.ts';
import { postgresOf, type Places } from './stores.ts';

export interface SavingsRange {
  readonly streams?: readonly string[];
  readonly since?: Date;
  readonly until?: Date;
}

/** What sampling, reuse and still pictures did not spend, in all, by stream, and by stream and day (UTC). */
export interface SavingsReport extends SumOfCompute {
  /** First and last day of which there are clips. */
  readonly from: string | null;
  readonly to: string | null;
  /** Most saved first. */
  readonly streams: readonly (SumOfCompute & { readonly stream_id: string })[];
  /** Oldest first. */
  readonly days: readonly DayOfCompute[];
}

/** `report savings`, of the clip statistics that Postgres holds. */
export async function reportSavings(
  places: Places,
  range: SavingsRange,
  { env }: AppContext,
): Promise<SavingsReport> {
  await using reader = await openPostgresReader(postgresOf(places, env));
  const days = (await queryDays(reader, range)).toReversed();
  const ids = [...new Set(days.map(({ stream_id: id }) => id))];
  const streams = ids.map((id) => ({ stream_id: id, ...sumOf(days.filter((day) => day.stream_id === id)) }));
  return {
    ...{ from: days[0]?.day ?? null, to: days.at(-1)?.day ?? null },
    ...sumOf(days),
    streams: streams.toSorted((a, b) => b.saved_ratio - a.saved_ratio),
    days,
  };
}

function sumOf(parts: readonly SumOfCompute[]): SumOfCompute {
  const sum = (field: keyof SumOfCompute): number => parts.reduce((total, part) => total + part[field], 0);
  const sums = {
    clips: sum('clips'),
    kept_steps: sum('kept_steps'),
    input_steps: sum('input_steps'),
    multiply_adds: sum('multiply_adds'),
    dense_multiply_adds: sum('dense_multiply_adds'),
  };
  return { ...sums, saved_ratio: savedRatio(sums) };
}
