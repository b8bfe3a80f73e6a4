import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import kafkajs, { type Kafka as KafkaClient, type KafkaConfig, type RetryOptions } from 'kafkajs';
import { ActionstreamError } from '../../core/errors.ts';
import { createNetworkNotes, type NetworkNotes } from './network-notes.ts';
import type { KafkaConnection } from './options.ts';
import { mendRequestQueue } from './request-queue.ts';

mendRequestQueue();

/**
 * A client whose sockets are ours. Destroying it is the only way to close it: the
 * library's own `disconnect` waits for answers that a frozen broker never sends.
 */
export interface OwnedKafka extends Disposable {
  readonly kafka: KafkaClient;
  /** What happened to its connections: which address failed, and how. */
  readonly network: NetworkNotes;
  /**
   * Runs `work` of this client. An abort, or no answer for minutes, destroys the client and rejects at once.
   */
  use<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /**
   * Ends every connection now and refuses new ones. Each socket ends with an
   * error, since that is what makes the library give up its timers and its
   * retries; a socket that just closes leaves its connection "connected" for ever.
   */
  destroy(): void;
}

// The library's retries are short: the delivery worker repeats for ever and can be interrupted between.
const RETRY: RetryOptions = { retries: 3, initialRetryTime: 200, maxRetryTime: 1000 };

// Every request has its own shorter time-out; this is for what the library forgets to time.
const LONGEST_WORK_MS = 300_000;

export function createKafka(connection: KafkaConnection): OwnedKafka {
  const sockets = new Set<Socket>();
  const network = createNetworkNotes(connection.brokers);
  const closed = new AbortController();
  const { Kafka, logLevel } = kafkajs;
  const { instance, brokers, connectionTimeoutMs = 10_000, requestTimeoutMs = 10_000 } = connection;
  const sasl = saslOf(connection);
  const kafka = new Kafka({
    clientId: `actionstream-${instance}`,
    // An empty list is the one error that the library does not retry: a destroyed client stops connecting.
    brokers: () => (closed.signal.aborted ? [] : [...brokers]),
    connectionTimeout: connectionTimeoutMs,
    authenticationTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: RETRY,
    // Every failure comes back to us as an error; the library's own lines would tell it twice.
    logLevel: logLevel.NOTHING,
    ...(connection.tls === undefined ? {} : { ssl: connection.tls }),
    ...(sasl ? { sasl } : {}),
    socketFactory: ({ host, port, ssl, onConnect }) => {
      const servername = isIP(host) ? {} : { servername: host };
      const socket = (ssl as object | null | undefined)
        ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
        : connect({ host, port }, onConnect);
      socket.setKeepAlive(true, 60_000);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      network.watch(socket, { host, port });
      if (closed.signal.aborted) socket.destroy(closedError());
      return socket;
    },
  });
  const destroy = (): void => {
    closed.abort();
    for (const socket of sockets) socket.destroy(closedError());
  };
  return {
    kafka,
    network,
    use: (work, signal) => interruptible(work, signal, destroy),
    destroy,
    [Symbol.dispose]: destroy,
  };
}

async function interruptible<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  destroy: () => void,
): Promise<T> {
  if (signal.aborted) throw abortedError();
  const { promise, reject } = rejectable();
  const giveUp = (error: ActionstreamError): void => {
    destroy();
    reject(error);
  };
  const onAbort = (): void => {
    giveUp(abortedError());
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => {
    giveUp(
      new ActionstreamError('KAFKA_UNREACHABLE', `Kafka did not answer within ${LONGEST_WORK_MS / 1000} s`),
    );
  }, LONGEST_WORK_MS);
  try {
    return await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

function rejectable(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: ((error: Error) => void) | undefined;
  const promise = new Promise<never>((_, rejectPromise) => {
    reject = rejectPromise;
  });
  return { promise, reject: (error) => reject?.(error) };
}

function closedError(): Error {
  return new Error('the Kafka client was closed');
}

function abortedError(): ActionstreamError {
  return new ActionstreamError('ABORTED', 'interrupted while Kafka had not yet answered');
}

function saslOf({ sasl }: KafkaConnection): KafkaConfig['sasl'] {
  if (!sasl) return undefined;
  if (sasl.mechanism !== 'oauthbearer') {
    const { username, password } = sasl;
    switch (sasl.mechanism) {
      case 'plain':
        return { mechanism: 'plain', username, password };
      case 'scram-sha-256':
        return { mechanism: 'scram-sha-256', username, password };
      case 'scram-sha-512':
        return { mechanism: 'scram-sha-512', username, password };
    }
  }
  const { token } = sasl;
  return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await token() }) };
}
