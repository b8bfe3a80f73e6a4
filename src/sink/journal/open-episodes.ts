import { join } from 'node:path';
import type { ActionEvent, PublishedRecord } from '../../core/records.ts';
import { readJsonFile, writeFileAtomic } from './atomic-file.ts';
import type { Checkpoint } from './checkpoints.ts';

/** Last event of every episode that has begun and not ended, as of the records before `nextOffset`. */
export interface OpenEpisodes {
  readonly nextOffset: number;
  readonly events: Map<string, ActionEvent>;
}

export function applyRecord(events: Map<string, ActionEvent>, record: PublishedRecord): void {
  if (record.type !== 'action.event') return;
  const { payload } = record;
  if (payload.state === 'ended') events.delete(payload.episode_id);
  else events.set(payload.episode_id, payload);
}

/** Every record before this offset had been acknowledged: the snapshot and the checkpoints prove it. */
export function acknowledgedBy(
  { nextOffset }: Pick<OpenEpisodes, 'nextOffset'>,
  checkpoints: ReadonlyMap<string, Checkpoint>,
): number {
  return Math.max(nextOffset, ...[...checkpoints.values()].map(({ acknowledged }) => acknowledged));
}

/** The snapshot outlives the segments it sums up; without one, all retained segments are read again. */
export async function loadOpenEpisodes(dir: string): Promise<OpenEpisodes> {
  const content = await readJsonFile(snapshotPath(dir)).catch(() => undefined);
  if (!isSnapshot(content)) return { nextOffset: 0, events: new Map() };
  return {
    nextOffset: content.next_offset,
    events: new Map(content.events.map((event) => [event.episode_id, event])),
  };
}

export async function saveOpenEpisodes(
  dir: string,
  { nextOffset, events }: { readonly nextOffset: number; readonly events: ReadonlyMap<string, ActionEvent> },
): Promise<void> {
  const content = { next_offset: nextOffset, events: [...events.values()] };
  await writeFileAtomic(snapshotPath(dir), JSON.stringify(content));
}

function isSnapshot(
  content: unknown,
): content is { readonly next_offset: number; readonly events: readonly ActionEvent[] } {
  return (
    typeof content === 'object' &&
    content !== null &&
    'next_offset' in content &&
    typeof content.next_offset === 'number' &&
    'events' in content &&
    Array.isArray(content.events)
  );
}

function snapshotPath(dir: string): string {
  return join(dir, 'open-episodes.json');
}
