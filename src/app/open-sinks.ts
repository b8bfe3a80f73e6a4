import type { Writable } from 'node:stream';
import type { Config } from '../config/index.ts';
import { ActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { EventSink } from '../sink/event-sink.ts';
import { createKafkaSink } from '../sink/kafka/kafka-sink.ts';
import { createNdjsonFileSink } from '../sink/ndjson/file-sink.ts';
import { createNdjsonSink } from '../sink/ndjson/ndjson-sink.ts';
import { createPostgresSink } from '../sink/postgres/postgres-sink.ts';

export interface SinkContext {
  readonly logger: Logger;
  readonly stdout: Writable;
  /** Of whoever embeds the program. */
  readonly ownSinks?: readonly EventSink[];
}

/**
 * The configured sinks and those of whoever embeds the program; nothing is connected before `open`.
 * @throws USAGE where the name of a sink of theirs cannot be used
 */
export function openSinks(
  { sinks }: Pick<Config, 'sinks'>,
  { logger, stdout, ownSinks = [] }: SinkContext,
): readonly EventSink[] {
  const { kafka, postgres, ndjson } = sinks;
  return [
    ...(kafka ? [createKafkaSink(kafka, logger)] : []),
    ...(postgres ? [createPostgresSink(postgres, logger)] : []),
    ...(ndjson ? [ndjsonTo(ndjson.path, stdout)] : []),
    ...checkNames(ownSinks),
  ].map(openedOnce);
}

/** Disposed at the same time: one that hangs holds up no other. */
export function allOf(resources: readonly AsyncDisposable[]): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(resources.map((resource) => resource[Symbol.asyncDispose]()));
    },
  };
}

/** The journal keeps a checkpoint under the name of each sink. */
function checkNames(sinks: readonly EventSink[]): readonly EventSink[] {
  const taken = new Set(['kafka', 'postgres', 'ndjson']);
  for (const { name } of sinks) {
    const isSound = /^[a-z][a-z0-9-]{0,63}$/.test(name);
    if (!isSound || taken.has(name))
      throw new ActionstreamError(
        'USAGE',
        `a sink cannot be named "${name}"; use small letters, digits and dashes, and another name than ${[...taken].join(', ')}`,
      );
    taken.add(name);
  }
  return sinks;
}

function ndjsonTo(path: string, stdout: Writable): EventSink {
  return path === '-' ? createNdjsonSink({ output: stdout }) : createNdjsonFileSink({ path });
}

/** `open` does its work once, however often it is asked for: at the start, and by delivery. */
function openedOnce(sink: EventSink): EventSink {
  let opened = false;
  return {
    name: sink.name,
    async open(signal) {
      if (opened) return;
      await sink.open(signal);
      opened = true;
    },
    write: (batch, signal) => sink.write(batch, signal),
    ...(sink.foreignWrites && { foreignWrites: sink.foreignWrites }),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}
