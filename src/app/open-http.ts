import { startApiServer } from '../api/api-server.ts';
import { NewestOfStreams, type RunView, type StreamChanges } from '../api/run-view.ts';
import type { Config } from '../config/index.ts';
import type { Logger } from '../core/logger.ts';
import { giveFeedback } from '../sink/postgres/feedback.ts';
import { openPostgresReader, type PostgresReader } from '../sink/postgres/reader.ts';
import type { PostgresSinkOptions } from '../sink/postgres/postgres-sink.ts';

/** The HTTP API of a run. It answers before the run is there, and tells health that it starts. */
export interface RunHttp extends AsyncDisposable {
  readonly newest: NewestOfStreams;
  /** From now on the API shows this run. */
  show(run: Pick<RunView, 'engine' | 'journal' | 'reading' | 'metrics' | 'media'>, control: RunControl): void;
}

/** Whoever owns the streams of the run. */
export type RunControl = StreamChanges & Pick<RunView, 'streams' | 'settings'>;

/** Connections to Postgres that reading may hold at once. */
const READERS = 4;

/** Undefined where no port is configured. @throws CONFIG_INVALID where the address cannot be used */
export async function openHttp(
  { http, instance, sinks }: Config,
  { version, logger }: { readonly version: string; readonly logger: Logger },
): Promise<RunHttp | undefined> {
  if (!http) return undefined;
  let view: RunView | undefined;
  const newest = new NewestOfStreams();
  const history = sinks.postgres && new LazyReader(sinks.postgres);
  const server = await startApiServer({ ...http, version, logger }, () => view);
  logger.info({ url: server.url }, 'the HTTP API is served');
  return {
    newest,
    show(run, control) {
      view = {
        ...{ ...run, instance, newest, changes: control },
        get streams() {
          return control.streams;
        },
        get settings() {
          return control.settings;
        },
        ...(history && { history: () => history.open() }),
        ...(sinks.postgres && {
          giveFeedback: giveFeedback.bind(undefined, sinks.postgres),
        }),
      };
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await history?.[Symbol.asyncDispose]();
    },
  };
}

/** Connects when it is first asked, and again where that failed. */
class LazyReader implements AsyncDisposable {
  readonly #connection: PostgresSinkOptions;
  #opening: Promise<PostgresReader> | undefined;

  constructor(connection: PostgresSinkOptions) {
    this.#connection = connection;
  }

  open(): Promise<PostgresReader> {
    this.#opening ??= openPostgresReader(this.#connection, { connections: READERS }).catch(
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const reader = await this.#opening?.catch(() => undefined);
    await reader?.[Symbol.asyncDispose]();
  }
}
