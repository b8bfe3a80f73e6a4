import { backoffMs, isAborted, sleep } from '../../core/abort.ts';
import { messageOf } from '../../core/errors.ts';
import type { FleetSettings } from '../../config/index.ts';
import type { Logger } from '../../core/logger.ts';
import { DefinitionTable, type PlacedDefinition, type StreamDefinition } from '../../fleet/definitions.ts';
import { Ownership } from '../../fleet/ownership.ts';
import { createFailureReport } from '../../sink/failure-report.ts';
import { ensureDefinitionTopic, readDefinitions } from '../../sink/kafka/definition-topic.ts';
import { runGroupMember } from '../../sink/kafka/group-member.ts';
import { createProgressWaiters } from '../../sink/progress-waiters.ts';
import { noteOf, placeByNotes } from './member-note.ts';

/** What the worker asks of whoever runs its streams; a StreamControl does it. */
interface StreamRunner {
  follow(
    definitions: readonly StreamDefinition[],
    why: (streamId: string) => 'removed' | 'moved',
  ): Promise<{ readonly ended: Promise<unknown> }>;
}

/**
 * A worker that lost a partition hears of it within a heartbeat and ends its streams meanwhile. Only then
 * does the next owner connect to their cameras.
 */
const HANDOVER_MS = 2000;
const BACKOFF = { firstMs: 500, maxMs: 10_000 };

/**
 * A worker of a fleet: runs the streams of the partitions that the group gives it, and those only.
 *
 * States of the worker:
 * - reading: the whole table of definitions is read. Until then it is no member of the group.
 * - member: it has joined. It reads on, and takes part in every rebalance.
 * - cut off: Kafka does not answer. What runs goes on, since its records are safe in the journal. If the
 *   group gave its streams away meanwhile, two workers watch them until Kafka answers; their epochs keep the
 *   episodes apart.
 *
 * States of a partition: given and held (fleet/ownership.ts), then active, HANDOVER_MS after it was held: its
 * streams run. One that is gone ends its streams at once, with reason `moved`.
 */
export class FleetWorker {
  readonly #fleet: FleetSettings;
  readonly #logger: Logger;
  readonly #table = new DefinitionTable();
  readonly #ownership = new Ownership();
  /** Active partitions with their epochs. */
  readonly #active = new Map<number, number>();
  readonly #changes = createProgressWaiters();
  #version = 0;
  /** The newest version that runs. */
  #broughtAbout = 0;
  #isReady = false;

  constructor(fleet: FleetSettings, logger: Logger) {
    this.#fleet = fleet;
    this.#logger = logger;
  }

  /** The whole table is known. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** All streams of the fleet, by id. */
  get streams(): readonly PlacedDefinition[] {
    return this.#table.all;
  }

  definitionOf(streamId: string): StreamDefinition | undefined {
    return this.#table.of(streamId)?.definition;
  }

  /** Of this worker's ownership of a stream; undefined where it has none. */
  epochOf(streamId: string): number | undefined {
    const placed = this.#table.of(streamId);
    return placed && this.#active.get(placed.partition);
  }

  /** True once `isSeen` holds and what it saw runs; false after `timeoutMs`. */
  until(isSeen: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    return this.#changes.until(() => isSeen() && this.#broughtAbout === this.#version, timeoutMs, signal);
  }

  /** Until the signal; then leaves the group. Never rejects: what fails is repeated, and logged. */
  async run(runner: StreamRunner, signal: AbortSignal): Promise<void> {
    await this.#read('now', signal);
    if (isAborted(signal)) return;
    this.#isReady = true;
    this.#changed();
    this.#logger.info(
      { fleet: this.#fleet.name, streams: this.#table.all.length },
      'the streams of the fleet are known',
    );
    await Promise.all([
      this.#read('abort', signal),
      this.#takePart(signal),
      this.#bringAbout(runner, signal),
    ]);
  }

  /** The table: to its end, or on and on. */
  async #read(until: 'now' | 'abort', signal: AbortSignal): Promise<void> {
    const report = createFailureReport({ topic: this.#fleet.topic }, this.#logger, {
      failed: 'the definitions of streams cannot be read',
      recovered: 'the definitions of streams can be read again',
    });
    for (let failures = 0; !isAborted(signal); failures += 1) {
      try {
        await ensureDefinitionTopic(this.#fleet, signal);
        for await (const message of readDefinitions(this.#fleet, until, signal)) {
          report.recovered();
          failures = 0;
          this.#apply(message);
        }
        if (until === 'now') return;
      } catch (error) {
        const delayMs = backoffMs(failures, BACKOFF);
        if (!isAborted(signal)) report.failed(messageOf(error), delayMs);
        await sleep(delayMs, signal);
      }
    }
  }

  #apply(message: Parameters<DefinitionTable['apply']>[0]): void {
    try {
      if (this.#table.apply(message)) this.#changed();
    } catch (error) {
      const { key, partition, offset } = message;
      const place = { topic: this.#fleet.topic, partition, offset, key };
      this.#logger.error(
        { ...place, cause: messageOf(error) },
        'a message defines no stream; it is passed over',
      );
    }
  }

  #takePart(signal: AbortSignal): Promise<void> {
    const { name, capacity, topic, sessionTimeoutMs, kafka } = this.#fleet;
    const groupId = `actionstream-fleet-${name}`;
    const report = createFailureReport({ group: groupId }, this.#logger, {
      failed: 'the group of the fleet cannot be reached; the streams of this worker go on',
      recovered: 'this worker is a member of its fleet again',
    });
    return runGroupMember(
      {
        ...kafka,
        ...{ groupId, topic, sessionTimeoutMs },
        note: () => noteOf(capacity, this.#ownership),
        place: (members, partitions) => placeByNotes(members, this.#table.countsOf(partitions)),
        onJoined: (memberId, partitions) => {
          this.#giveUp(this.#ownership.joined(memberId, partitions));
        },
        onHeartbeat: (generation) => {
          report.recovered();
          void this.#takeOver(this.#ownership.confirmed(generation), generation, signal);
        },
        onFailure(message) {
          report.failed(message, BACKOFF.firstMs);
        },
      },
      signal,
    );
  }

  #giveUp(partitions: readonly number[]): void {
    if (partitions.length === 0) return;
    for (const partition of partitions) this.#active.delete(partition);
    this.#logger.info({ fleet: this.#fleet.name, partitions: partitions.length }, 'partitions are given up');
    this.#changed();
  }

  async #takeOver(partitions: readonly number[], epoch: number, signal: AbortSignal): Promise<void> {
    if (partitions.length === 0) return;
    await sleep(HANDOVER_MS, signal);
    if (isAborted(signal)) return;
    // Some may be gone by now.
    const held = partitions.filter((partition) => this.#ownership.epochOf(partition) === epoch);
    for (const partition of held) this.#active.set(partition, epoch);
    this.#logger.info(
      { fleet: this.#fleet.name, partitions: held.length, epoch },
      'partitions are taken over',
    );
    this.#changed();
  }

  #changed(): void {
    this.#version += 1;
    this.#changes.wake();
  }

  /** Makes the streams that run those of the active partitions, whenever something has changed. */
  async #bringAbout(runner: StreamRunner, signal: AbortSignal): Promise<void> {
    const running = new Map<string, number>();
    while (!isAborted(signal)) {
      const version = this.#version;
      if (version === this.#broughtAbout) {
        await this.#changes.until(() => this.#version !== version, FOREVER_MS, signal);
        continue;
      }
      const wanted = this.#table.all.filter(({ partition }) => this.#active.has(partition));
      await this.#follow(runner, wanted, running).catch((error: unknown) => {
        this.#logger.error({ cause: messageOf(error) }, 'the streams of the fleet could not be changed');
      });
      this.#broughtAbout = version;
      this.#changes.wake();
    }
  }

  async #follow(
    runner: StreamRunner,
    wanted: readonly PlacedDefinition[],
    running: Map<string, number>,
  ): Promise<void> {
    const why = (streamId: string): 'removed' | 'moved' => (this.#table.of(streamId) ? 'moved' : 'removed');
    const epochs = new Map(
      wanted.map(({ definition, partition }) => [definition.id, this.#active.get(partition) ?? 0]),
    );
    const definitions = wanted.map(({ definition }) => definition);
    const isAnew = ({ id }: StreamDefinition): boolean =>
      running.has(id) && running.get(id) !== epochs.get(id);
    // Lost and won again: the old ownership ends before the new one begins.
    if (definitions.some(isAnew))
      await (
        await runner.follow(
          definitions.filter((one) => !isAnew(one)),
          why,
        )
      ).ended;
    await runner.follow(definitions, why);
    this.#warnOfOverload(definitions.length, running.size);
    running.clear();
    for (const [streamId, epoch] of epochs) running.set(streamId, epoch);
  }

  #warnOfOverload(streams: number, before: number): void {
    const { capacity } = this.#fleet;
    if (streams <= capacity || streams === before) return;
    this.#logger.warn(
      { streams, capacity },
      'this worker runs more streams than it can carry: start another one, or raise fleet.capacity',
    );
  }
}

/** The longest that a timer can wait: 24 days. */
const FOREVER_MS = 2 ** 31 - 1;
