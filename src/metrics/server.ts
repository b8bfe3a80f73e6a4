import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import { CONTENT_TYPE } from './registry.ts';

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
 * Answers `GET /metrics` with what `render` says at that moment, and nothing else.
 * @throws ActionstreamError CONFIG_INVALID where the address cannot be used
 */
export async function startMetricsServer(
  { host, port }: MetricsAddress,
  render: () => Promise<string>,
): Promise<MetricsServer> {
  const server = createServer(answer(render));
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

function answer(render: () => Promise<string>): RequestListener {
  return ({ method, url = '' }, response) => {
    const status =
      url.split('?', 1)[0] !== '/metrics' ? 404 : method === 'GET' || method === 'HEAD' ? 200 : 405;
    const ok = status === 200;
    const body = ok ? render() : Promise.resolve('only GET /metrics is answered here\n');
    body.then(
      (text) => {
        response.writeHead(status, { 'content-type': ok ? CONTENT_TYPE : 'text/plain' });
        response.end(text);
      },
      (error: unknown) => {
        response.writeHead(500, { 'content-type': 'text/plain' });
        response.end(`the metrics cannot be read: ${messageOf(error)}\n`);
      },
    );
  };
}
