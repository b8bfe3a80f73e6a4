import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionstreamError, systemCodeOf } from '../../core/errors.ts';
import { ensureFolder, readJsonFile, syncDirectory, writeFileAtomic } from './atomic-file.ts';

export interface Checkpoint {
  /** Offset of the first record that the consumer has not yet passed. */
  readonly nextOffset: number;
  /**
   * Everything before it had been acknowledged when the checkpoint was saved: evidence of damage behind it.
   */
  readonly acknowledged: number;
  /** Where the consumer began: it never received what is older. 0 in checkpoints of older versions. */
  readonly since: number;
}

/** Names of all who have ever saved a checkpoint here. */
async function listCheckpoints(dir: string): Promise<readonly string[]> {
  const names = await readdir(join(dir, 'checkpoints')).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
}

/** Checkpoints of these consumers and of everybody else who has saved one. */
export async function loadCheckpoints(
  dir: string,
  consumers: readonly string[] = [],
): Promise<ReadonlyMap<string, Checkpoint>> {
  const saved = new Map<string, Checkpoint>();
  for (const consumer of new Set([...consumers, ...(await listCheckpoints(dir))])) {
    const checkpoint = await loadCheckpoint(dir, consumer);
    if (checkpoint) saved.set(consumer, checkpoint);
  }
  return saved;
}

/** undefined where the consumer has never saved one. */
export async function loadCheckpoint(dir: string, consumer: string): Promise<Checkpoint | undefined> {
  const path = checkpointPath(dir, consumer);
  const content = await readJsonFile(path).catch((error: unknown) => {
    if (error instanceof SyntaxError) return null;
    throw error;
  });
  if (content === undefined) return undefined;
  if (typeof content === 'object' && content !== null && 'next_offset' in content) {
    const { next_offset: nextOffset } = content;
    const acknowledged = 'acknowledged' in content ? content.acknowledged : nextOffset;
    const since = 'since' in content ? content.since : 0;
    if (isOffset(nextOffset) && isOffset(acknowledged) && isOffset(since)) {
      return { nextOffset, acknowledged: Math.max(nextOffset, acknowledged), since };
    }
  }
  throw new ActionstreamError(
    'JOURNAL_CORRUPT',
    `${path} is not a checkpoint; remove it and run actionstream events redeliver --sink ${consumer} --from 0 to ` +
      'send everything in the journal again (duplicates carry the same id)',
  );
}

/** Durable when it resolves. */
export async function saveCheckpoint(
  dir: string,
  consumer: string,
  { nextOffset, acknowledged, since }: Checkpoint,
): Promise<void> {
  await ensureFolder(join(dir, 'checkpoints'));
  const content = { next_offset: nextOffset, acknowledged, since };
  await writeFileAtomic(checkpointPath(dir, consumer), JSON.stringify(content));
}

export async function removeCheckpoint(dir: string, consumer: string): Promise<void> {
  await rm(checkpointPath(dir, consumer));
  await syncDirectory(join(dir, 'checkpoints'));
}

function checkpointPath(dir: string, consumer: string): string {
  return join(dir, 'checkpoints', `${consumer}.json`);
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
