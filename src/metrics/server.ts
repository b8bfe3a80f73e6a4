import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { CONTENT_TYPE, renderSamples, type Sample } from './exposition.ts';

export interface MetricsServer extends AsyncDisposable {
  /** `http://host:port/metrics` */
  readonly url: string;
}

export interface MetricsAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * Answers `GET /metrics` with what `collect` says at that moment, and nothing else.
 * @throws ActionstreamError CONFIG_INVALID where the address cannot be used
 */
export async function startMetricsServer(
  { host, port }: MetricsAddress,
  collect: () => readonly Sample[],
): Promise<MetricsServer> {
  const server = createServer(answer(collect));
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw new ActionstreamError(
      'CONFIG_INVALID',
      `metrics cannot be served at ${host}:${port}: ${messageOf(error)}; choose another metrics.host or metrics.port`,
      { cause: error },
    );
  }
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/metrics`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(collect: () => readonly Sample[]): RequestListener {
  return ({ method, url = '' }, response) => {
    const status =
      url.split('?', 1)[0] !== '/metrics' ? 404 : method === 'GET' || method === 'HEAD' ? 200 : 405;
    const ok = status === 200;
    response.writeHead(status, { 'content-type': ok ? CONTENT_TYPE : 'text/plain' });
    response.end(ok ? renderSamples(collect()) : 'only GET /metrics is answered here\n');
  };
}
