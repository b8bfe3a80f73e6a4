import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform, pipeline } from 'node:stream';

export interface FaultProxyOptions {
  readonly targetPort: number;
  readonly targetHost?: string;
  /** Default: any free port. */
  readonly port?: number;
}

/** A TCP proxy on the loopback whose network can be broken: for brokers, databases and cameras alike. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** Cuts every connection and refuses new ones. */
  down(): void;
  up(): void;
  /** Connections stay open, bytes wait. */
  stall(): void;
  resume(): void;
  /** Delays every portion of bytes, each way. */
  latency(ms: number): void;
}

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const weather = createWeather();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    if (weather.isDown) {
      client.resetAndDestroy();
      return;
    }
    const target = connect(options.targetPort, options.targetHost ?? '127.0.0.1');
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => sockets.delete(socket));
    }
    join(client, target, weather);
    join(target, client, weather);
  });
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    down() {
      weather.isDown = true;
      cutAll();
    },
    up() {
      weather.isDown = false;
    },
    stall: weather.stall,
    resume: weather.resume,
    latency(ms) {
      weather.latencyMs = ms;
    },
    async [Symbol.asyncDispose]() {
      weather.isDown = true;
      weather.resume();
      const closed = once(server, 'close');
      server.close();
      cutAll();
      await closed;
    },
  };
}

interface Weather {
  isDown: boolean;
  latencyMs: number;
  readonly stall: () => void;
  readonly resume: () => void;
  /** Calls back once bytes may pass. */
  readonly whenClear: (pass: () => void) => void;
}

function createWeather(): Weather {
  let waiting: (() => void)[] | undefined;
  return {
    isDown: false,
    latencyMs: 0,
    stall() {
      waiting ??= [];
    },
    resume() {
      const passed = waiting ?? [];
      waiting = undefined;
      for (const pass of passed) pass();
    },
    whenClear(pass) {
      if (waiting) waiting.push(pass);
      else pass();
    },
  };
}

/** One direction. A failure of either end destroys both. */
function join(from: Socket, to: Socket, weather: Weather): void {
  const delay = new Transform({
    transform(chunk: Buffer, _, done) {
      const forward = (): void => {
        weather.whenClear(() => {
          done(null, chunk);
        });
      };
      if (weather.latencyMs > 0) setTimeout(forward, weather.latencyMs);
      else forward();
    },
  });
  pipeline(from, delay, to, () => {
    from.destroy();
    to.destroy();
  });
}
