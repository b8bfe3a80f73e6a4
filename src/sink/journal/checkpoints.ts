import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ActionstreamError } from '../../core/errors.ts';
import { readJsonFile, writeFileAtomic } from './atomic-file.ts';

/** Offset of the first record that `consumer` has not yet passed; undefined where it has never saved one. */
export async function loadCheckpoint(dir: string, consumer: string): Promise<number | undefined> {
  const path = checkpointPath(dir, consumer);
  const content = await readJsonFile(path).catch(() => null);
  if (content === undefined) return undefined;
  if (typeof content === 'object' && content !== null && 'next_offset' in content) {
    const { next_offset: nextOffset } = content;
    if (typeof nextOffset === 'number' && Number.isSafeInteger(nextOffset) && nextOffset >= 0)
      return nextOffset;
  }
  throw new ActionstreamError(
    'JOURNAL_CORRUPT',
    `${path} is not a checkpoint; remove it to deliver everything in the journal to ${consumer} again ` +
      '(duplicates carry the same id)',
  );
}

/** Durable when it resolves. */
export async function saveCheckpoint(dir: string, consumer: string, nextOffset: number): Promise<void> {
  await mkdir(join(dir, 'checkpoints'), { recursive: true });
  await writeFileAtomic(checkpointPath(dir, consumer), JSON.stringify({ next_offset: nextOffset }));
}

function checkpointPath(dir: string, consumer: string): string {
  return join(dir, 'checkpoints', `${consumer}.json`);
}
