import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { startApiServer, type ApiOptions } from '../../src/api/api-server.ts';
import { NewestOfStreams, type RunView } from '../../src/api/run-view.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { PublishedRecord } from '../../src/core/records.ts';
import { openJournal } from '../../src/sink/journal/open-journal.ts';
import { createPostgresSink } from '../../src/sink/postgres/postgres-sink.ts';
import { giveFeedback } from '../../src/sink/postgres/feedback.ts';
import { openPostgresReader } from '../../src/sink/postgres/reader.ts';
import { stored } from '../contract/event-sink.contract.ts';
import type { StreamControl } from '../../src/app/stream-control.ts';
import { controlStreams, ENGINE } from './control.ts';
import { uniqueDatabase } from './names.ts';
import { clipStats, streamStatus } from './records.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** What a test may change of a served API. */
export interface ServedOptions {
  readonly tokens?: ApiOptions['tokens'];
  /** The model is still being loaded. */
  readonly isStarting?: boolean;
  readonly media?: RunView['media'];
}

export interface Served {
  readonly url: string;
  readonly run: RunView;
  /** To the journal and to Postgres, as a run delivers them. */
  readonly publish: (records: readonly PublishedRecord[]) => Promise<void>;
}

/** The API over a real journal and a real database, of a run that computes nothing. Ends with the test. */
export async function serveApi({
  tokens = [],
  isStarting = false,
  media,
}: ServedOptions = {}): Promise<Served> {
  const { url: database, drop } = await uniqueDatabase(inject('postgresUrl'));
  onTestFinished(drop);
  const dir = path.join(await temporaryDirectory(), `journal-${randomUUID()}`);
  const journal = await openJournal({ dir, consumers: [] });
  const sink = createPostgresSink({ url: database, autoMigrate: true });
  await sink.open(AbortSignal.timeout(60_000));
  const reader = await openPostgresReader({ url: database }, { connections: 2 });
  const { control } = await controlStreams({ streams: [{ id: 'dock', url: 'rtsp://camera/2' }] });
  const run = Object.assign(
    runOf(journal, () => Promise.resolve(reader), control),
    { giveFeedback: giveFeedback.bind(undefined, { url: database }), ...(media && { media }) },
  );
  const options = { host: '127.0.0.1', port: 0, tokens, version: '0.0.0', logger: silentLogger };
  const server = await startApiServer(options, () => (isStarting ? undefined : run));
  onTestFinished(async () => {
    for (const part of [server, reader, sink, journal]) await part[Symbol.asyncDispose]();
  });
  return {
    ...{ url: server.url, run },
    publish: async (records) => {
      await journal.append(records);
      await sink.write(stored(records), AbortSignal.timeout(60_000));
    },
  };
}

function runOf(
  journal: RunView['journal'],
  history: NonNullable<RunView['history']>,
  control: StreamControl,
): RunView {
  const declared = { state: 'running', origin: 'file', changed: false } as const;
  const newest = new NewestOfStreams();
  newest.onStatus(streamStatus({ state: 'up', reason: 'first_frame' }).payload);
  Object.assign(newest.of('cam-1'), {
    stats: clipStats().payload,
    frame: { width: 2, height: 1, data: Uint8Array.of(255, 0, 0, 0, 0, 255) },
  });
  const reading = { streams: [] } as unknown as ReturnType<RunView['reading']>;
  return {
    ...{ instance: 'test', journal, newest, history, settings: [], changes: control, engine: ENGINE },
    get streams() {
      return [
        { streamId: 'cam-1', url: 'rtsp://admin:opensesame@camera/1', kind: 'live', ...declared } as const,
        { streamId: 'cam 2/ü', url: 'film.mp4', kind: 'file', ...declared } as const,
        ...control.streams,
      ];
    },
    reading: () => reading,
    metrics: () => Promise.resolve('# nothing\n'),
  };
}
