import type { Writable } from 'node:stream';
import type { Config } from '../config/index.ts';
import type { Logger } from '../core/logger.ts';
import type { EventSink } from '../sink/event-sink.ts';
import { createKafkaSink } from '../sink/kafka/kafka-sink.ts';
import { createNdjsonFileSink } from '../sink/ndjson/file-sink.ts';
import { createNdjsonSink } from '../sink/ndjson/ndjson-sink.ts';
import { createPostgresSink } from '../sink/postgres/postgres-sink.ts';

export interface SinkContext {
  readonly logger: Logger;
  readonly stdout: Writable;
}

/** The configured sinks; nothing is connected before `open`. */
export function openSinks(
  { sinks }: Pick<Config, 'sinks'>,
  { logger, stdout }: SinkContext,
): readonly EventSink[] {
  const { kafka, postgres, ndjson } = sinks;
  return [
    ...(kafka ? [createKafkaSink(kafka, logger)] : []),
    ...(postgres ? [createPostgresSink(postgres, logger)] : []),
    ...(ndjson ? [ndjsonTo(ndjson.path, stdout)] : []),
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
