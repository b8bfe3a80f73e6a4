import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { findFfmpeg, probeSource } from '../../../src/ingest/index.ts';
import type { SourceTrust } from '../../../src/ingest/types.ts';
import { startRtspServer } from '../../../tools/local/rtsp-server.ts';
import { createAuthority, type Authority } from '../../support/certificates.ts';
import { runCli } from '../../support/cli.ts';
import { readClips } from '../../support/clip-reader.ts';
import { ffmpeg, timeVideo } from '../../support/lavfi.ts';
import { fileDirectory } from '../../support/temporary-directory.ts';

// Real TLS servers and the real ffmpeg: what is trusted is read, what is not never gets a password.

type Certificate = Readonly<Record<'key' | 'cert', string>>;

const directory = fileDirectory();
const LOGIN = { username: 'viewer', password: 'c4nary-0pen' } as const;
const never = new AbortController().signal;

let ffmpegPath: string;
let video: string;
let authority: Authority;
let good: Certificate;
const bad: Record<string, readonly [certificate: Certificate, says: RegExp]> = {};

beforeAll(async () => {
  ({ path: ffmpegPath } = await findFfmpeg(process.env));
  video = await timeVideo(directory(), 'scene.mp4', { seconds: 4, output: ['-movflags', '+faststart'] });
  authority = createAuthority(directory());
  const elsewhere = await mkdtemp(join(directory(), 'stranger-'));
  const stranger = createAuthority(elsewhere);
  good = authority.issue('good', { subjectAltName: 'IP:127.0.0.1,DNS:camera.test' });
  bad['signed by itself'] = [
    { key: await readFile(join(elsewhere, 'ca.key'), 'utf8'), cert: stranger.ca },
    /signed by itself; give it as tls\.ca_file/,
  ];
  bad['of another authority'] = [
    stranger.issue('strange'),
    /comes from an authority that is not trusted here/,
  ];
  bad['of another host'] = [
    authority.issue('elsewhere', { subjectAltName: 'DNS:elsewhere.test' }),
    /made out to DNS:elsewhere\.test; set tls\.server_name/,
  ];
  bad['that has expired'] = [
    authority.issue('old', { expired: true }),
    /expired on .*; renew it on the device/,
  ];
});

interface WebServer {
  readonly origin: string;
  readonly requests: string[];
}

async function serveHttps(
  certificate: Certificate,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<WebServer> {
  const requests: string[] = [];
  const server = createServer(certificate, (request, response) => {
    requests.push(`${request.url ?? ''} ${request.headers.authorization ?? ''}`.trim());
    answer(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** As an IP camera's web server: Basic login, whole files. */
const withLogin = (file: () => string) => (request: IncomingMessage, response: ServerResponse) => {
  if (request.headers.authorization === undefined) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
    return;
  }
  void readFile(file()).then((bytes) => {
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': bytes.length }).end(bytes);
  });
};

const trusted = (): SourceTrust => ({ ca: authority.ca });
const probe = (url: string, tls?: SourceTrust) =>
  probeSource({ url, ...LOGIN, ffmpegPath, seconds: 1, timeoutMs: 60_000, ...(tls && { tls }) }, never);

describe('https', () => {
  test('of a trusted authority is read, login and all', async () => {
    const server = await serveHttps(
      good,
      withLogin(() => video),
    );

    await expect(probe(`${server.origin}/v.mp4`, trusted())).resolves.toMatchObject({
      source: `${server.origin.replace('//', '//***@')}/v.mp4`,
      codec: 'h264',
    });
    const basic = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
    expect(server.requests).toContain(`/v.mp4 Basic ${basic}`);
  });

  test('gives the same clips as the file itself', async () => {
    const server = await serveHttps(
      good,
      withLogin(() => video),
    );
    const policy = { kind: 'file', policy: 'every_frame' } as const;
    const remote = readClips({ url: `${server.origin}/v.mp4`, ...LOGIN, ...policy, tls: trusted() });
    const local = readClips({ url: video, ...policy });
    await Promise.all([remote.done, local.done]);

    expect(remote.clips.length).toBeGreaterThan(5);
    expect(remote.clips.map(({ frames }) => frames.map(({ data }) => Buffer.from(data)))).toEqual(
      local.clips.map(({ frames }) => frames.map(({ data }) => Buffer.from(data))),
    );
  });

  test('is read by `infer` with the flags of a source, and refused without them', async () => {
    const server = await serveHttps(
      good,
      withLogin(() => video),
    );
    const [ca, password] = [join(directory(), 'ca.pem'), join(directory(), 'password')];
    await Promise.all([writeFile(ca, authority.ca), writeFile(password, `${LOGIN.password}\n`)]);
    const infer = [
      ...['infer', `${server.origin}/v.mp4`, '--json', '--model', 's3d-g', '--width', '0.125'],
      ...['--frames', '4', '--size', '32', '--classes', '2', '--engine', 'null'],
    ];
    const trusting = await runCli([
      ...infer,
      ...['--ca-file', ca, '--user', LOGIN.username, '--password-file', password],
    ]);
    const doubting = await runCli(infer);

    expect(trusting.code, trusting.stderr).toBe(0);
    expect(trusting.stdout.split('\n').length).toBeGreaterThan(5);
    expect(doubting.code).toBe(3);
    expect(doubting.stderr).toContain('SOURCE_UNTRUSTED');
  });

  test.each(['signed by itself', 'of another authority', 'of another host', 'that has expired'])(
    'with a certificate %s gets no request',
    async (kind) => {
      const [certificate, says] = bad[kind]!;
      const server = await serveHttps(certificate, (_, response) => response.end());

      await expect(probe(`${server.origin}/v.mp4`, trusted())).rejects.toMatchObject({
        code: 'SOURCE_UNTRUSTED',
        message: expect.stringMatching(says) as string,
      });
      expect(server.requests).toEqual([]);
    },
  );

  test('of nobody that this machine trusts is refused without any setting', async () => {
    const server = await serveHttps(good, (_, response) => response.end());

    await expect(probe(`${server.origin}/v.mp4`)).rejects.toMatchObject({ code: 'SOURCE_UNTRUSTED' });
    expect(server.requests).toEqual([]);
  });

  test('is read with the name that its certificate carries, and with any where that is asked for', async () => {
    for (const tls of [{ ...trusted(), serverName: 'elsewhere.test' }, { insecure: true }]) {
      const [certificate] = bad['of another host']!;
      const server = await serveHttps(
        certificate,
        withLogin(() => video),
      );

      await expect(probe(`${server.origin}/v.mp4`, tls)).resolves.toMatchObject({ codec: 'h264' });
    }
  });

  test('that redirects is followed to hosts that are trusted, and to no other', async () => {
    const target = await serveHttps(good, (_, response) => {
      void readFile(video).then((bytes) =>
        response.writeHead(200, { 'content-length': bytes.length }).end(bytes),
      );
    });
    const impostor = await serveHttps(bad['signed by itself']![0], (_, response) => response.end());
    const to = (location: string) =>
      serveHttps(good, (_, response) => response.writeHead(302, { location }).end());

    const followed = await to(`${target.origin}/v.mp4`);
    await expect(probe(`${followed.origin}/a`, trusted())).resolves.toMatchObject({ codec: 'h264' });
    expect(new Set(target.requests), 'without the login of the first host').toEqual(new Set(['/v.mp4']));

    const misled = await to(`${impostor.origin}/v.mp4`);
    await expect(probe(`${misled.origin}/a`, trusted())).rejects.toMatchObject({ code: 'SOURCE_UNTRUSTED' });
    expect(impostor.requests).toEqual([]);

    const stripped = await to('http://127.0.0.1:9/v.mp4');
    await expect(probe(`${stripped.origin}/a`, trusted())).rejects.toMatchObject({
      code: 'SOURCE_UNTRUSTED',
      message: expect.stringContaining('an https source may not lead there') as string,
    });
  });

  test('playlists: every segment comes over a checked connection, wherever it lies', async () => {
    const folder = directory();
    await ffmpeg(
      ...['-i', video, '-c', 'copy', '-f', 'hls', '-hls_time', '1', '-hls_list_size', '0'],
      join(folder, 'i.m3u8'),
    );
    const playlist = await readFile(join(folder, 'i.m3u8'), 'utf8');
    const segment = (request: IncomingMessage, response: ServerResponse): void => {
      void readFile(join(folder, (request.url ?? '').slice(1))).then((bytes) => response.end(bytes));
    };
    const store = await serveHttps(good, segment);
    const impostor = await serveHttps(bad['signed by itself']![0], segment);
    const listing = (prefix: string) =>
      serveHttps(good, (request, response) => {
        if (!/m3u8/.test(request.url ?? '')) segment(request, response);
        else response.end(playlist.replace(/^i\d+\.ts$/gm, (name) => `${prefix}${name}`));
      });

    for (const prefix of ['', '/', `${store.origin}/`]) {
      const server = await listing(prefix);
      const reader = readClips({
        ...{ url: `${server.origin}/i.m3u8`, kind: 'file', policy: 'every_frame', tls: trusted() },
      });
      await reader.done;
      expect(reader.clips, `segments at "${prefix}"`).toHaveLength(10);
    }
    expect(store.requests.length).toBeGreaterThanOrEqual(3);

    const misleading = await listing(`${impostor.origin}/`);
    const reader = readClips({ url: `${misleading.origin}/i.m3u8`, kind: 'file', tls: trusted() });
    await expect(reader.done).rejects.toMatchObject({ code: 'SOURCE_UNTRUSTED' });
    expect(impostor.requests).toEqual([]);
  });
});

test('a plain http source is not led into a TLS connection that nobody checks', async () => {
  const { createServer: createPlain } = await import('node:http');
  const target = await serveHttps(good, (_, response) => response.end());
  const plain = createPlain((_, response) =>
    response.writeHead(302, { location: `${target.origin}/v.mp4` }).end(),
  );
  await new Promise<void>((resolve) => {
    plain.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    plain.close();
  });
  const { port } = plain.address() as AddressInfo;

  await expect(probe(`http://127.0.0.1:${port}/a`)).rejects.toMatchObject({
    code: 'SOURCE_UNTRUSTED',
    message: expect.stringMatching(/give the https address itself/) as string,
  });
  expect(target.requests).toEqual([]);
});

describe('rtsps', () => {
  const camera = async (certificate: Certificate) => {
    const server = await startRtspServer({
      file: video,
      tls: certificate,
      auth: { ...LOGIN, scheme: 'digest' },
    });
    onTestFinished(() => server.stop());
    return server;
  };

  test('of a trusted authority is read', async () => {
    const { url } = await camera(good);

    const report = await probe(url, trusted());

    expect(report).toMatchObject({ source: url.replace('//', '//***@'), codec: 'h264', width: 64 });
  });

  test.each(['signed by itself', 'of another authority', 'of another host', 'that has expired'])(
    'with a certificate %s is refused',
    async (kind) => {
      const [certificate, says] = bad[kind]!;
      const { url } = await camera(certificate);

      await expect(probe(url, trusted())).rejects.toMatchObject({
        code: 'SOURCE_UNTRUSTED',
        message: expect.stringMatching(says) as string,
      });
    },
  );

  test('runs on after the camera hung up, and says each time that nothing is checked where that is so', async () => {
    const [certificate] = bad['signed by itself']!;
    const server = await camera(certificate);
    const reader = readClips({ url: server.url, kind: 'live', ...LOGIN, tls: { insecure: true } });
    onTestFinished(() => reader.stop());
    const ups = (): number => reader.transitions.filter(({ state }) => state === 'up').length;
    await reader.until('clips', () => reader.clips.length > 0, 60_000);
    server.faults.dropClients();
    await reader.until('clips again', () => ups() === 2 && reader.clips.length > 3, 60_000);

    expect(reader.logged.filter((line) => line.includes('NOT checked')).length).toBeGreaterThanOrEqual(2);
    expect(reader.logged.join('\n')).not.toContain(LOGIN.password);
  });

  test('that is not trusted is a live source that is down, with its reason', async () => {
    const [certificate] = bad['that has expired']!;
    const server = await camera(certificate);
    const reader = readClips({ url: server.url, kind: 'live', ...LOGIN, tls: trusted() });
    onTestFinished(() => reader.stop());

    await reader.until('down', () => reader.transitions.some(({ state }) => state === 'down'), 60_000);

    expect(reader.transitions.find(({ state }) => state === 'down')).toMatchObject({
      reason: 'untrusted',
      detail: expect.stringMatching(/^certificate of .* expired on/) as string,
    });
  });
});
