import type { Logger } from '../../core/logger.ts';
import type { Checkpoint } from './checkpoints.ts';

interface StartedConsumers {
  readonly checkpoints: ReadonlyMap<string, number>;
  readonly idle: ReadonlyMap<string, number>;
  readonly added: readonly string[];
  /** Where each began. */
  readonly since: ReadonlyMap<string, number>;
}

/**
 * Where each consumer continues.
 * - It has a checkpoint and is named: there; what was deleted before it came back is reported.
 * - It has a checkpoint and is not named: it is idle and keeps its backlog while there is room.
 * - It is named for the first time: at the journal's end; in a journal of an
 *   older version at the oldest record.
 */
export function startConsumers(
  saved: ReadonlyMap<string, Checkpoint>,
  journal: {
    readonly consumers: readonly string[];
    readonly firstOffset: number;
    readonly nextOffset: number;
    readonly isOlder: boolean;
    readonly logger: Logger;
  },
): StartedConsumers {
  const { consumers, firstOffset, nextOffset, isOlder, logger } = journal;
  const checkpoints = new Map<string, number>();
  const idle = new Map<string, number>();
  const added: string[] = [];
  const since = new Map([...saved].map(([sink, checkpoint]) => [sink, checkpoint.since]));
  for (const [sink, { nextOffset: saidOffset }] of saved) {
    const isNamed = consumers.includes(sink);
    if (saidOffset < firstOffset) {
      const fields = { sink, records: firstOffset - saidOffset, from_offset: saidOffset };
      logger.error(fields, 'records of a sink are gone from the journal before it received them');
    }
    const offset = Math.max(saidOffset, firstOffset);
    (isNamed ? checkpoints : idle).set(sink, offset);
    if (!isNamed && offset < nextOffset) {
      logger.warn(
        { sink, records: nextOffset - offset },
        'records wait in the journal for a sink that is not configured; actionstream journal forget gives them up',
      );
    }
  }
  for (const sink of consumers) {
    if (saved.has(sink)) continue;
    const offset = isOlder ? firstOffset : nextOffset;
    checkpoints.set(sink, offset);
    since.set(sink, offset);
    added.push(sink);
    if (nextOffset === 0) continue;
    logger.info(
      { sink, from_offset: offset, records: nextOffset - offset },
      'a sink is new to this journal; actionstream events redeliver sends it older records',
    );
  }
  return { checkpoints, idle, added, since };
}
