import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { SourceTrust } from './types.ts';

const TIMEOUT_MS = 5000;
const REDIRECTS = 5;

/**
 * What an HTTP server says of a resource's version: ETag, Last-Modified and
 * size, as far as given; undefined where it answers a HEAD with anything but
 * success, or the URL is none of HTTP. Certificates are checked as `trust` says.
 * @throws Error where the server cannot be reached within 5 s
 */
export async function httpVersionOf(
  url: string,
  trust: SourceTrust,
  signal: AbortSignal,
): Promise<string | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let target = new URL(url);
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    if (!/^https?:$/.test(target.protocol)) return undefined;
    const { status, headers } = await head(target, trust, deadline);
    const { location, etag, 'last-modified': modified, 'content-length': size } = headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      target = redirected(target, location);
      continue;
    }
    if (status < 200 || status >= 300) return undefined;
    const given = [etag, modified, size];
    return given.some((value) => value !== undefined) ? JSON.stringify(given) : undefined;
  }
  return undefined;
}

interface Head {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

function head(url: URL, { ca, insecure, serverName }: SourceTrust, signal: AbortSignal): Promise<Head> {
  const { username, password } = url;
  const auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const options = {
    method: 'HEAD',
    agent: false,
    signal,
    ...(username !== '' && { auth }),
    ...(ca !== undefined && { ca }),
    ...(serverName !== undefined && { servername: serverName }),
    rejectUnauthorized: insecure !== true,
  } as const;
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Credentials stay with the host that they were given for. */
function redirected(from: URL, location: string): URL {
  const to = new URL(location, from);
  if (to.host === from.host && to.protocol === from.protocol && to.username === '') {
    to.username = from.username;
    to.password = from.password;
  }
  return to;
}
