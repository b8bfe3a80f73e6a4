import { isDeepStrictEqual } from 'node:util';
import { Problem } from '../api/problem.ts';
import type { StreamChanges, StreamSource } from '../api/run-view.ts';
import {
  NOTHING_STORED,
  renderStored,
  resolveSource,
  withAdded,
  withChanged,
  withRemoved,
  type Config,
  type StoredStreams,
  type StreamSettings,
  type WrittenStream,
} from '../config/index.ts';
import { endsWithin } from '../core/abort.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { probeSource, type SourceReport } from '../ingest/index.ts';
import type { StreamSet } from '../pipeline/stream-set.ts';
import { writeFileAtomic } from '../sink/journal/atomic-file.ts';
import type { ConfigSource } from './run-request.ts';
import type { ReloadState } from '../metrics/run-metrics.ts';
import { diffStreams, needsRestart } from './config-diff.ts';
import { naming, writtenChanges, writtenSettings } from './written-stream.ts';

export interface ControlOptions {
  readonly config: Config;
  /** What the configuration file said when `config` was made of it. */
  readonly text: string;
  readonly source: ConfigSource;
  readonly set: StreamSet<StreamSettings>;
  /** @throws ActionstreamError where the stream does not fit the model */
  readonly check: (stream: StreamSettings) => void;
  readonly ffmpegPath: string;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** A stream that ends its work takes no longer; one that does is answered for as it stands then. */
const ANSWER_MS = 6000;
const MOST_PROBES = 4;

/**
 * Changes the streams of a run: the one owner of its configuration while it runs.
 *
 * A change passes these steps, one change at a time:
 * - checked: the configuration with the change in it is resolved whole, and the stream is held against the
 *   model. What is wrong is told by field, and nothing has changed.
 * - kept: it is durable beside the journal. A failure changes nothing.
 * - brought about: the set stops, builds and starts that stream. The others are not touched.
 */
export class StreamControl implements StreamChanges {
  readonly #options: ControlOptions;
  readonly #store: string | undefined;
  #config: Config;
  #text: string;
  #turn: Promise<unknown> = Promise.resolve();
  #probes = 0;
  /** Definitions of a fleet that were looked at. */
  #usable = new WeakMap<WrittenStream, boolean>();
  #reloads: ReloadState = { failures: 0, isLastGood: true, lastGoodMs: Date.now() };

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#text = options.text;
    this.#store = options.config.streamOrigins.store;
  }

  get streams(): readonly StreamSource[] {
    const { stored } = this.#config.streamOrigins;
    const added = new Set(stored.added.map(({ id }) => id));
    const changed = new Set(stored.changed.map(({ id }) => id));
    return this.#options.set.streams.map(({ wish: { streamId, about, url, kind }, state }) => ({
      ...(about && { about }),
      ...{ streamId, url, kind, state, changed: changed.has(streamId) },
      origin: added.has(streamId) ? 'api' : this.#options.source.path === undefined ? 'command_line' : 'file',
    }));
  }

  get reloads(): ReloadState {
    return this.#reloads;
  }

  /** What is in force: settings that need a restart are those of the start. */
  get settings(): Config['effective'] {
    const { config: atStart } = this.#options;
    const later = new Set(needsRestart(atStart, this.#config));
    const isLater = ({ key }: Config['effective'][number]): boolean => later.has(key.split('.')[0] ?? '');
    return [...atStart.effective.filter(isLater), ...this.#config.effective.filter((one) => !isLater(one))];
  }

  async add(written: unknown): Promise<string> {
    const stream = writtenSettings(written) as WrittenStream;
    return await this.#inTurn(async () => {
      if (this.#holds(stream.id))
        throw new Problem(
          409,
          'EXISTS',
          `a stream is named ${stream.id} already; choose another id, or change it`,
        );
      await this.#apply(withAdded(this.#stored, stream), stream.id);
      return stream.id;
    });
  }

  async change(streamId: string, patch: unknown): Promise<void> {
    const changes = writtenChanges(streamId, patch);
    await this.#inTurn(async () => {
      this.#demand(streamId);
      await this.#apply(withChanged(this.#stored, streamId, changes), streamId);
    });
  }

  remove(streamId: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#demand(streamId);
      const isWritten = this.#config.streamOrigins.written.includes(streamId);
      await this.#apply(withRemoved(this.#stored, streamId, isWritten), streamId);
    });
  }

  async probe(written: unknown): Promise<SourceReport> {
    const { ffmpegPath, signal } = this.#options;
    const source = naming(() => resolveSource(writtenSettings(written)));
    if (this.#probes >= MOST_PROBES)
      throw new Problem(503, 'BUSY', `${MOST_PROBES} sources are being probed; ask again in a few seconds`);
    this.#probes += 1;
    try {
      return await probeSource({ ...source, ffmpegPath }, signal);
    } finally {
      this.#probes -= 1;
    }
  }

  /**
   * Reads the configuration file again, and changes the streams that differ. A file that cannot be used
   * changes nothing. Never rejects: log and metrics say how it ended.
   */
  async reload(): Promise<void> {
    const { logger } = this.#options;
    await this.#inTurn(async () => {
      try {
        await this.#reload();
        this.#reloads = { ...this.#reloads, isLastGood: true, lastGoodMs: Date.now() };
      } catch (error) {
        const { failures } = this.#reloads;
        this.#reloads = { ...this.#reloads, isLastGood: false, failures: failures + 1 };
        const problem = 'the configuration file cannot be used; nothing has changed';
        logger.error({ cause: messageOf(error) }, problem);
      }
    });
  }

  async #reload(): Promise<void> {
    const { source, check, set, logger, config: atStart } = this.#options;
    const text = source.readText();
    const config = source.load({ text, stored: this.#stored });
    const { put, removed } = diffStreams(
      set.streams.map(({ wish }) => wish),
      config.streams,
    );
    for (const stream of put) check(stream);
    this.#text = text;
    this.#config = config;
    this.#usable = new WeakMap();
    const restart = needsRestart(atStart, config);
    const fields = { put: put.map(({ streamId }) => streamId), removed };
    logger.info(fields, 'the configuration file was read again');
    if (restart.length > 0)
      logger.warn(
        { keys: restart },
        'these settings were changed and need a restart; the old ones stay in force',
      );
    await Promise.all([
      ...put.map((stream) => this.#bringAbout(stream.streamId, stream)),
      ...removed.map((streamId) => this.#bringAbout(streamId, undefined)),
    ]);
  }

  /**
   * What a stream would be. @throws Problem naming the fields that are wrong
   */
  check(written: WrittenStream): StreamSettings {
    return naming(() => {
      const { source, check } = this.#options;
      const stored = { ...NOTHING_STORED, added: [written] };
      const [stream] = source.load({ text: this.#text, stored }).streams;
      if (!stream) throw new Error(`stream ${written.id} is none`);
      check(stream);
      return stream;
    });
  }

  /**
   * In a fleet: these streams shall run and no others. Those that cannot be used are named in the log.
   * Resolves once new and changed ones run.
   * @param why of those that shall go
   * @returns resolves once what shall go has ended
   */
  follow(
    definitions: readonly WrittenStream[],
    why: (streamId: string) => 'removed' | 'moved',
  ): Promise<{ readonly ended: Promise<unknown> }> {
    return this.#inTurn(async () => {
      const { set, source } = this.#options;
      const added = definitions.filter((definition) => this.#isUsable(definition));
      const config = source.load({ text: this.#text, stored: { ...NOTHING_STORED, added } });
      const wishes = set.streams.map(({ wish }) => wish);
      const { put, removed } = diffStreams(wishes, config.streams);
      this.#config = config;
      const ended = Promise.all(removed.map((streamId) => set.remove(streamId, why(streamId))));
      await Promise.all(put.map((stream) => this.#start(stream)));
      // Wrapped: whoever awaits the start does not await the end.
      return { ended };
    });
  }

  #isUsable(definition: WrittenStream): boolean {
    const known = this.#usable.get(definition);
    if (known !== undefined) return known;
    let isUsable = true;
    try {
      this.check(definition);
    } catch (error) {
      isUsable = false;
      const problem = 'the definition of a stream cannot be used; the stream does not run';
      this.#options.logger.error({ stream_id: definition.id, cause: messageOf(error) }, problem);
    }
    this.#usable.set(definition, isUsable);
    return isUsable;
  }

  async #start(stream: StreamSettings): Promise<void> {
    const { streamId } = stream;
    await this.#bringAbout(streamId, stream).catch((error: unknown) => {
      this.#options.logger.error({ stream_id: streamId, cause: messageOf(error) }, 'a stream did not start');
    });
  }

  get #stored(): StoredStreams {
    return this.#config.streamOrigins.stored;
  }

  #holds(streamId: string): boolean {
    return this.#config.streams.some((stream) => stream.streamId === streamId);
  }

  /** @throws Problem 404 */
  #demand(streamId: string): void {
    if (this.#holds(streamId)) return;
    throw new Problem(404, 'NOT_FOUND', `no stream is named ${streamId}; GET /api/v1/streams lists them`);
  }

  async #apply(stored: StoredStreams, streamId: string): Promise<void> {
    const { source, check, set } = this.#options;
    const config = naming(() => {
      const next = source.load({ text: this.#text, stored });
      const stream = next.streams.find((one) => one.streamId === streamId);
      if (stream) check(stream);
      return next;
    });
    await this.#keep(stored);
    this.#config = config;
    const wish = config.streams.find((one) => one.streamId === streamId);
    const now = set.streams.find((one) => one.wish.streamId === streamId)?.wish;
    if (wish && isDeepStrictEqual(wish, now)) return;
    await this.#bringAbout(streamId, wish);
  }

  async #bringAbout(streamId: string, wish: StreamSettings | undefined): Promise<void> {
    const { set, logger } = this.#options;
    const done = wish ? set.put(wish) : set.remove(streamId);
    const isDone = await endsWithin(done, ANSWER_MS);
    if (!isDone) logger.warn({ stream_id: streamId }, 'a stream that was changed has not ended its work yet');
  }

  async #keep(stored: StoredStreams): Promise<void> {
    if (this.#store === undefined) return;
    try {
      // It holds passwords of cameras.
      await writeFileAtomic(this.#store, renderStored(stored), 0o600);
    } catch (error) {
      const problem = `${this.#store} cannot be written, so nothing was changed: ${messageOf(error)}`;
      throw new Problem(503, 'NOT_KEPT', problem);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
