import type { Socket } from 'node:net';

/** An address as the library was asked to connect to it. */
interface Address {
  readonly host: string;
  readonly port: number;
}

export interface NetworkNotes {
  watch(socket: Socket, address: Address): void;
  /**
   * The last broker that the cluster named and that could not be reached, although a configured one could.
   */
  unreachableListener(): { readonly address: string; readonly cause: string } | undefined;
  /** Bytes of another protocol came back on a connection without TLS: the port speaks TLS. */
  answeredWithTls(): boolean;
  /** A broker closed a connection on which it had never sent a byte. */
  closedSilently(): boolean;
}

// A TLS alert record, which is all that a TLS listener answers to plain text: type 21, version 3.x.
const TLS_ALERT = [21, 3] as const;

/**
 * Keeps what the library's errors leave out: the address, and what the first bytes of an answer looked like.
 */
export function createNetworkNotes(brokers: readonly string[]): NetworkNotes {
  const answered = new Set<string>();
  const failed = new Map<string, string>();
  let tlsAlert = false;
  let silent = false;
  return {
    watch(socket, { host, port }) {
      const address = `${host}:${port}`;
      let received = false;
      socket.once('data', (bytes: Buffer) => {
        received = true;
        tlsAlert ||= TLS_ALERT.every((byte, place) => bytes[place] === byte);
        answered.add(address);
        failed.delete(address);
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        if (!received) failed.set(address, error.code ?? error.message);
      });
      socket.once('end', () => {
        silent ||= !received;
      });
    },
    unreachableListener() {
      const isConfigured = (address: string): boolean => brokers.includes(address);
      if (![...answered].some(isConfigured)) return undefined;
      const [address, cause] = [...failed].findLast(([candidate]) => !isConfigured(candidate)) ?? [];
      return address === undefined || cause === undefined ? undefined : { address, cause };
    },
    answeredWithTls: () => tlsAlert,
    closedSilently: () => silent,
  };
}
