import { CLIP_RECEIPT_FIELDS, EPISODE_RECEIPT_FIELDS } from '../core/compute.ts';
import type { Measured, MeasuredFields } from '../core/compute.ts';
import { leavesOf } from '../core/fields.ts';
import type { ActionEvent, ClipStats } from '../core/records.ts';
import { rounded } from './rounded.ts';
import type { ScoredClip } from './types.ts';

/** Measurements of some clips together: sums and largest values, by name. */
export type MeasurementTotals = Readonly<Record<string, number>>;

/** The compute receipt of one clip. */
export function clipReceiptOf(clip: ScoredClip, sampler: string): ClipStats['compute'] {
  const newest = { sampler, ...measurementsOf(clip) };
  return render(CLIP_RECEIPT_FIELDS, { clips: 1, totals: newest, newest }) as ClipStats['compute'];
}

/**
 * The compute receipt of an episode: sums over its clips, means of their
 * latencies, the rest of the newest clip.
 */
export function episodeReceiptOf(
  { clips, totals }: { readonly clips: number; readonly totals: MeasurementTotals },
  clip: ScoredClip,
  sampler: string,
): ActionEvent['compute'] {
  const { multiplyAdds = 0, denseMultiplyAdds = 0 } = totals;
  const savedRatio = denseMultiplyAdds === 0 ? 0 : 1 - multiplyAdds / denseMultiplyAdds;
  const newest = { sampler, ...measurementsOf(clip), savedRatio };
  return render(EPISODE_RECEIPT_FIELDS, { clips, totals, newest }) as ActionEvent['compute'];
}

export function totalsOf(clip: ScoredClip): MeasurementTotals {
  return combine({}, measurementsOf(clip));
}

/** Names that `more` lacks keep their totals. */
export function combine(totals: MeasurementTotals, more: Values): MeasurementTotals {
  const combined: Record<string, number> = { ...totals };
  for (const { from, over } of COMBINED) {
    const [known, value] = [totals[from], more[from]];
    if (typeof value !== 'number') continue;
    if (known === undefined) combined[from] = value;
    else combined[from] = over === 'largest' ? Math.max(known, value) : known + value;
  }
  return combined;
}

type Values = Readonly<Record<string, number | string | undefined>>;

const COMBINED = leavesOf(EPISODE_RECEIPT_FIELDS)
  .map(({ field }) => field as typeof field & Measured)
  .filter(({ over }) => over === 'sum' || over === 'mean' || over === 'largest');

function measurementsOf({ compute, delta, sampler, audit, ingestedAtMs, processedAtMs }: ScoredClip): Values {
  return {
    ...compute,
    delta,
    ...(sampler !== undefined && { sampler }),
    ...(audit && {
      auditAgreement: audit.agreement,
      auditAgreementLow: audit.agreementLow,
      auditDeltaScale: audit.deltaScale,
      auditDeltaChanges: audit.deltaChanges,
    }),
    e2eMs: processedAtMs - ingestedAtMs,
  };
}

interface Sources {
  readonly clips: number;
  /** Of all clips. */
  readonly totals: Values;
  readonly newest: Values;
}

function render(fields: MeasuredFields, sources: Sources): object {
  const receipt: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = 'members' in field ? render(field.members, sources) : valueOf(field, sources);
    if (value !== undefined) receipt[name] = value;
  }
  return receipt;
}

function valueOf({ from, over, decimals }: Measured, { clips, totals, newest }: Sources): unknown {
  const value = (over === 'newest' || over === 'derived' ? newest : totals)[from];
  if (typeof value !== 'number') return value;
  const one = over === 'mean' ? value / clips : value;
  return decimals === undefined ? one : rounded(one, decimals);
}
