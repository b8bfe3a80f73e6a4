import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

import { freePort } from './free-port.ts';
import { startRtpFeed } from './rtp-feed.ts';
import { createAuthenticator, type RtspAuth } from './rtsp-auth.ts';
import { acceptRtspConnection, type RtspConnection } from './rtsp-connection.ts';

export interface RtspServerOptions {
  /** A file whose video goes out as it is: H.264, best with a keyframe a second. */
  readonly file: string;
  /** Default `/cam`. */
  readonly path?: string;
  /** Address to listen at. Default: the loopback. */
  readonly host?: string;
  /** Default: any free port. A stopped server's port can be taken again at once. */
  readonly port?: number;
  readonly auth?: RtspAuth;
  readonly ffmpegPath?: string;
  /** RTSP inside TLS (rtsps), with this certificate; both PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** The one way in which media go out; another is answered 461. Default `tcp`. */
  readonly transport?: 'tcp' | 'udp';
  /** Start over at the end of the file; time goes on. Default true. */
  readonly loop?: boolean;
}

/** What cameras do to us. */
interface RtspFaults {
  /** Connections stay open, packets stop. */
  stall(): void;
  resume(): void;
  /** Connections stay open, and a byte comes now and then that makes no frame; `resume` ends it. */
  drip(): void;
  /** Cuts every connection; new ones are served. */
  dropClients(): void;
  /** Answers every request with this status (404, 503, …); undefined serves again. */
  refuse(status: number | undefined): void;
  /** Loses this share of the packets, 0 to 1. */
  loss(share: number): void;
}

export interface RtspServer extends AsyncDisposable {
  /** Without user and password. */
  readonly url: string;
  readonly port: number;
  readonly faults: RtspFaults;
  /** Connections that are open now. */
  readonly clients: number;
  stop(): Promise<void>;
}

/**
 * A camera on the loopback for tests and the demo: RTSP over TCP, TLS or with
 * media over UDP, any number of clients, Basic or Digest login.
 */
export async function startRtspServer(options: RtspServerOptions): Promise<RtspServer> {
  const { file, path = '/cam', ffmpegPath = 'ffmpeg', loop = true } = options;
  const connections = new Set<RtspConnection>();
  const state = { stalled: false, dripping: false, loss: 0, refusal: undefined as number | undefined };

  const feed = await startRtpFeed({ file, ffmpegPath, loop }, (packet) => {
    if (state.stalled) return;
    for (const connection of connections) {
      // Also those that have come since.
      if (state.dripping) connection.drip(true);
      if (state.loss === 0 || Math.random() >= state.loss) connection.send(packet);
    }
  });
  const authenticator = options.auth && createAuthenticator(options.auth);
  const sdp = describeSession(feed.sdp);
  const scheme = options.tls ? 'rtsps' : 'rtsp';
  const accept = (socket: Socket): void => {
    const connection = acceptRtspConnection(socket, {
      path,
      sdp,
      authenticator,
      scheme,
      transport: options.transport ?? 'tcp',
      get refusal() {
        return state.refusal;
      },
    });
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  };
  const server = options.tls ? createTlsServer(options.tls, accept) : createServer(accept);
  // A client that does not trust us hangs up in the middle of the handshake.
  server.on('tlsClientError', () => undefined);
  const dropClients = (): void => {
    for (const connection of connections) connection.destroy();
  };
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    dropClients();
    await Promise.all([closed, feed[Symbol.asyncDispose]()]);
  };
  try {
    server.listen(options.port ?? (await freePort()), options.host ?? '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    await feed[Symbol.asyncDispose]();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}${path}`,
    port,
    faults: {
      stall: () => void (state.stalled = true),
      resume: () => {
        state.stalled = state.dripping = false;
        for (const connection of connections) connection.drip(false);
      },
      drip: () => void (state.dripping = true),
      dropClients,
      refuse: (status) => void (state.refusal = status),
      loss: (share) => void (state.loss = share),
    },
    get clients() {
      return connections.size;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** ffmpeg describes the UDP stream it sends; clients of ours get it through their own connection. */
function describeSession(sdp: string): string {
  const lines = sdp
    .replace(/^SDP:\s*/, '')
    .replace(/m=video \d+/, 'm=video 0')
    .replace(/c=IN IP4 \S+/, 'c=IN IP4 0.0.0.0')
    .trim()
    .split(/\r?\n/);
  return [...lines, 'a=control:trackID=0', ''].join('\r\n');
}
