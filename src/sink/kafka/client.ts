import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import kafkajs, { type Kafka as KafkaClient, type KafkaConfig, type RetryOptions } from 'kafkajs';
import type { KafkaConnection } from './options.ts';

/** A client whose sockets are ours: closing it leaves none behind, whatever the library is still trying. */
export interface OwnedKafka {
  readonly kafka: KafkaClient;
  /** Closes every connection now and refuses new ones. */
  destroy(): void;
}

// The library's retries are short: the delivery worker repeats for ever and can be interrupted between.
const RETRY: RetryOptions = { retries: 3, initialRetryTime: 200, maxRetryTime: 1000 };

export function createKafka(connection: KafkaConnection): OwnedKafka {
  const sockets = new Set<Socket>();
  let destroyed = false;
  const { Kafka, logLevel } = kafkajs;
  const { instance, brokers, connectionTimeoutMs = 10_000, requestTimeoutMs = 10_000 } = connection;
  const sasl = saslOf(connection);
  const kafka = new Kafka({
    clientId: `actionstream-${instance}`,
    brokers: [...brokers],
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
      if (destroyed) socket.destroy(new Error('the Kafka client was closed'));
      return socket;
    },
  });
  return {
    kafka,
    destroy() {
      destroyed = true;
      for (const socket of sockets) socket.destroy();
    },
  };
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
