import { dirname } from 'node:path';
import { ActionstreamError } from '../../core/errors.ts';

/** A part of a segment that holds no readable entry. */
export interface Damage {
  readonly path: string;
  /** Bytes [position, endPosition) of the file. */
  readonly position: number;
  readonly endPosition: number;
  /** Records [firstOffset, endOffset) were there. */
  readonly firstOffset: number;
  readonly endOffset: number;
  readonly why: string;
}

/** Records of a finished segment that can no longer be read; those before and behind them can. */
export class UnreadableRecords extends ActionstreamError {
  readonly damage: Damage;

  constructor(damage: Damage) {
    super('JOURNAL_CORRUPT', describe(damage));
    this.name = 'UnreadableRecords';
    this.damage = damage;
  }
}

/** Damage that the journal cannot step over: in the file that is being written. */
export function corrupt(path: string, position: number, why: string): ActionstreamError {
  return new ActionstreamError(
    'JOURNAL_CORRUPT',
    `${path} at byte ${position}: ${why}; the disk or another program has damaged it. Run ` +
      `actionstream journal salvage ${dirname(path)}: it keeps every record that can be read and sets the damaged file aside`,
  );
}

/**
 * The file being written lacks records at its end that checkpoints or the snapshot prove to have been safe.
 */
export function endsEarly(
  path: string,
  end: { readonly position: number; readonly nextOffset: number; readonly acknowledged: number },
): ActionstreamError {
  const { position, nextOffset, acknowledged } = end;
  const records = acknowledged - nextOffset;
  return corrupt(
    path,
    position,
    `it ends at offset ${nextOffset}, and ${records} acknowledged records are missing`,
  );
}

export function describe({ path, position, endPosition, firstOffset, endOffset, why }: Damage): string {
  const records = endOffset - firstOffset;
  return (
    `${path}, bytes ${position} to ${endPosition}: ${why}; ${records} ${records === 1 ? 'record' : 'records'} ` +
    `from offset ${firstOffset} cannot be read`
  );
}
