import kafkajs, { type Assigner, type Cluster, type Consumer } from 'kafkajs';
import { backoffMs, isAborted, sleep } from '../../core/abort.ts';
import { messageOf } from '../../core/errors.ts';
import { createKafka } from './client.ts';
import { toKafkaError } from './errors.ts';
import type { KafkaConnection } from './options.ts';

/** A member of the group as the one that gives out the partitions sees it. */
export interface GroupMemberNote {
  readonly id: string;
  /** What it told of itself. */
  readonly note: string;
}

export interface GroupMemberOptions extends KafkaConnection {
  readonly groupId: string;
  readonly topic: string;
  /** A member that is silent for so long is thrown out. */
  readonly sessionTimeoutMs: number;
  /** What this member tells of itself, at each rebalance. */
  readonly note: () => string;
  /** Gives out the partitions, numbered from 0, where this member is asked to. */
  readonly place: (
    members: readonly GroupMemberNote[],
    partitions: number,
  ) => ReadonlyMap<string, readonly number[]>;
  /** After each rebalance: what this member has from now on. */
  readonly onJoined: (memberId: string, partitions: readonly number[]) => void;
  /** The group answered: this member belongs to this generation. Called at every heartbeat. */
  readonly onHeartbeat: (generation: number) => void;
  /** It is tried again; nothing is taken from this member until it joins again. */
  readonly onFailure: (message: string) => void;
}

const BACKOFF = { firstMs: 500, maxMs: 10_000 };
/** A frozen broker would let us wait for ever. */
const GOODBYE_MS = 3000;
const FETCH_MS = 250;

/**
 * Takes part in a consumer group for the sake of its partitions: which member holds which. Messages are
 * passed over; their offsets are committed, so that the group is remembered and its generations grow while
 * nobody runs.
 *
 * The client knows eager rebalances only: at each, every member joins again, and its answer is the whole list
 * of its partitions. So callers compare two answers, and disturb nothing that is in both.
 *
 * Runs until the signal and leaves the group then. A client that fails is thrown away, and another one joins.
 */
export async function runGroupMember(options: GroupMemberOptions, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !isAborted(signal); failures += 1) {
    try {
      await takePart(options, signal, () => {
        failures = 0;
      });
    } catch (error) {
      if (isAborted(signal)) return;
      options.onFailure(messageOf(error));
      await sleep(backoffMs(failures, BACKOFF), signal);
    }
  }
}

/** Until the signal. @throws where the client failed */
async function takePart(options: GroupMemberOptions, signal: AbortSignal, onWell: () => void): Promise<void> {
  const { groupId, topic, sessionTimeoutMs, onJoined, onHeartbeat } = options;
  using owned = createKafka(options);
  const consumer = owned.kafka.consumer({
    groupId,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: 2 * sessionTimeoutMs,
    heartbeatInterval: Math.min(3000, sessionTimeoutMs / 10),
    maxWaitTimeInMs: FETCH_MS,
    allowAutoTopicCreation: false,
    partitionAssigners: [assignerOf(options)],
    // Members that join one after the other make one rebalance after the other.
    retry: {
      retries: 10,
      initialRetryTime: 100,
      maxRetryTime: 1000,
      restartOnFailure: () => Promise.resolve(false),
    },
  });
  consumer.on('consumer.group_join', ({ payload: { memberId, memberAssignment } }) => {
    onJoined(memberId, memberAssignment[topic] ?? []);
  });
  consumer.on('consumer.heartbeat', ({ payload: { groupGenerationId } }) => {
    onWell();
    onHeartbeat(groupGenerationId);
  });
  const crash = crashOf(consumer, signal);
  crash.catch(() => undefined);
  try {
    await Promise.race([owned.use(() => consume(consumer, topic), signal), crash]);
    await crash;
  } catch (error) {
    throw toKafkaError(error, { ...options, action: 'read', network: owned.network });
  } finally {
    await owned.use(() => consumer.disconnect(), AbortSignal.timeout(GOODBYE_MS)).catch(() => undefined);
  }
}

async function consume(consumer: Consumer, topic: string): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ eachBatch: () => Promise.resolve() });
}

/** Resolves with the signal. @throws what ended the consumer */
function crashOf(consumer: Consumer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => {
      reject(payload.error);
    });
    const onAbort = (): void => {
      resolve();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

const PROTOCOL = { name: 'actionstream-fleet-v1', version: 1 };

function assignerOf({ topic, note, place }: GroupMemberOptions) {
  const { MemberMetadata, MemberAssignment } = kafkajs.AssignerProtocol;
  return ({ cluster }: { readonly cluster: Cluster }): Assigner => ({
    ...PROTOCOL,
    protocol: ({ topics }) => ({
      name: PROTOCOL.name,
      metadata: MemberMetadata.encode({ version: PROTOCOL.version, topics, userData: Buffer.from(note()) }),
    }),
    assign({ members }) {
      const notes = members.map(({ memberId, memberMetadata }) => ({
        id: memberId,
        note: MemberMetadata.decode(memberMetadata)?.userData.toString('utf8') ?? '',
      }));
      const placed = place(notes, cluster.findTopicPartitionMetadata(topic).length);
      return Promise.resolve(
        members.map(({ memberId }) => ({
          memberId,
          memberAssignment: MemberAssignment.encode({
            version: PROTOCOL.version,
            assignment: { [topic]: [...(placed.get(memberId) ?? [])] },
            userData: Buffer.alloc(0),
          }),
        })),
      );
    },
  });
}
