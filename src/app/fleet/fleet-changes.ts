import { Problem } from '../../api/problem.ts';
import type { StreamChanges, StreamSource } from '../../api/run-view.ts';
import { withChanged, type FleetSettings, type WrittenStream } from '../../config/index.ts';
import { messageOf } from '../../core/errors.ts';
import type { SourceReport } from '../../ingest/index.ts';
import { DefinitionWriter } from '../../sink/kafka/definition-topic.ts';
import type { RunControl } from '../open-http.ts';
import type { StreamControl } from '../stream-control.ts';
import { writtenChanges, writtenSettings } from '../written-stream.ts';
import type { FleetWorker } from './fleet-worker.ts';

/** A change is answered for as it stands after so long. */
const ANSWER_MS = 6000;

/**
 * Changes the streams of a fleet, whichever worker is asked. A change passes these steps, one at a time:
 * - checked: against the schema, and against the model of this worker.
 * - kept: it is in the topic. A failure changes nothing. Of two workers that change one stream at the same
 *   time the later write holds.
 * - brought about: this worker has read it back, and runs the stream where the stream is its own.
 */
export class FleetChanges implements StreamChanges, RunControl {
  readonly #worker: FleetWorker;
  readonly #control: StreamControl;
  readonly #fleet: FleetSettings;
  readonly #signal: AbortSignal;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    fleet: FleetSettings,
    {
      worker,
      control,
      signal,
    }: { readonly worker: FleetWorker; readonly control: StreamControl; readonly signal: AbortSignal },
  ) {
    this.#worker = worker;
    this.#control = control;
    this.#signal = signal;
    this.#fleet = fleet;
  }

  /** Those of this worker first. */
  get streams(): readonly StreamSource[] {
    const own = this.#control.streams;
    const ids = new Set(own.map(({ streamId }) => streamId));
    const others = this.#worker.streams.flatMap(({ definition }) =>
      ids.has(definition.id) ? [] : [elsewhere(definition)],
    );
    return [...own, ...others];
  }

  get settings(): RunControl['settings'] {
    return this.#control.settings;
  }

  async add(written: unknown): Promise<string> {
    const stream = writtenSettings(written) as WrittenStream;
    return await this.#inTurn(async () => {
      this.#control.check(stream);
      if (this.#worker.definitionOf(stream.id))
        throw new Problem(
          409,
          'EXISTS',
          `a stream of the fleet is named ${stream.id} already; choose another id, or change it`,
        );
      await this.#keep(stream.id, stream);
      return stream.id;
    });
  }

  async change(streamId: string, patch: unknown): Promise<void> {
    const changes = writtenChanges(streamId, patch);
    await this.#inTurn(async () => {
      const before = { added: [this.#demand(streamId)], changed: [], removed: [] };
      const [stream] = withChanged(before, streamId, changes).added;
      if (!stream) return;
      this.#control.check(stream);
      await this.#keep(streamId, stream);
    });
  }

  remove(streamId: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#demand(streamId);
      await this.#keep(streamId, undefined);
    });
  }

  probe(written: unknown): Promise<SourceReport> {
    return this.#control.probe(written);
  }

  /** @throws Problem 404 */
  #demand(streamId: string): WrittenStream {
    const definition = this.#worker.definitionOf(streamId);
    if (definition) return definition;
    throw new Problem(
      404,
      'NOT_FOUND',
      `no stream of the fleet is named ${streamId}; GET /api/v1/streams lists them`,
    );
  }

  async #keep(streamId: string, stream: WrittenStream | undefined): Promise<void> {
    const before = this.#worker.definitionOf(streamId);
    try {
      // Changes are rare: a connection for each.
      await using writer = new DefinitionWriter(this.#fleet);
      await writer.write(streamId, stream, this.#signal);
    } catch (error) {
      throw new Problem(
        503,
        'NOT_KEPT',
        `Kafka did not take the change, so nothing was changed: ${messageOf(error)}`,
      );
    }
    const isSeen = (): boolean => this.#worker.definitionOf(streamId) !== before;
    await this.#worker.until(isSeen, ANSWER_MS, this.#signal);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => {
      if (!this.#worker.isReady)
        throw new Problem(
          503,
          'NOT_READY',
          'the streams of the fleet are being read; ask again in a few seconds',
        );
      return work();
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function elsewhere(definition: WrittenStream): StreamSource {
  const { id: streamId, url, kind, paused } = definition;
  return {
    streamId,
    url: typeof url === 'string' ? url : '',
    kind: kind === 'file' ? 'file' : 'live',
    state: paused === true ? 'paused' : 'elsewhere',
    origin: 'api',
    changed: false,
  };
}
