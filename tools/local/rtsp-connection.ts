import { randomBytes } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import type { Socket } from 'node:net';

import type { Authenticator } from './rtsp-auth.ts';

/** What one connection needs of its server. */
export interface RtspConnectionParent {
  readonly path: string;
  readonly sdp: string;
  readonly authenticator: Authenticator | undefined;
  readonly scheme: 'rtsp' | 'rtsps';
  readonly transport: 'tcp' | 'udp';
  /** Status with which every request is answered, where a fault is set. */
  readonly refusal: number | undefined;
}

export interface RtspConnection {
  /**
   * Sends one RTP packet, interleaved or over UDP, to a client that plays; a
   * client that does not read loses packets.
   */
  send(packet: Buffer): void;
  /** A byte now and then, for ever the same packet, instead of packets; `false` sends the rest of it. */
  drip(isOn: boolean): void;
  destroy(): void;
}

const INTERLEAVED = 0x24;
const MAX_QUEUED_BYTES = 8 << 20;
const DRIP_MS = 200;

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: ReadonlyMap<string, string>;
}

interface Reply {
  readonly status: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One client: RTSP/1.0 requests in, replies and RTP out. */
export function acceptRtspConnection(socket: Socket, parent: RtspConnectionParent): RtspConnection {
  const session = randomBytes(4).toString('hex');
  let playing = false;
  let media: { readonly socket: UdpSocket; readonly port: number } | undefined;
  let received = Buffer.alloc(0);
  let drops: { rest: Buffer; readonly timer: NodeJS.Timeout } | undefined;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    media?.socket.close();
    clearInterval(drops?.timer);
  });
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    for (let next = takeMessage(received); next; next = takeMessage(received)) {
      received = next.rest;
      if (next.request) answer(next.request);
    }
  });
  return {
    send(packet) {
      if (!playing || drops || socket.destroyed || socket.writableLength > MAX_QUEUED_BYTES) return;
      if (media) {
        media.socket.send(packet, media.port, '127.0.0.1');
        return;
      }
      socket.cork();
      socket.write(Buffer.from([INTERLEAVED, 0, packet.length >> 8, packet.length & 0xff]));
      socket.write(packet);
      socket.uncork();
    },
    drip(isOn) {
      if (isOn) startDripping();
      else stopDripping();
    },
    destroy() {
      socket.destroy();
    },
  };

  function startDripping(): void {
    if (drops || !playing || socket.destroyed) return;
    const timer = setInterval(() => {
      if (!drops) return;
      socket.write(drops.rest.subarray(0, 1));
      drops.rest = drops.rest.subarray(1);
    }, DRIP_MS);
    // A packet of a kind that clients pass over, as long as a packet can be: it lasts for hours.
    drops = { rest: Buffer.concat([Buffer.from([INTERLEAVED, 1, 0xff, 0xff]), Buffer.alloc(0xffff)]), timer };
  }

  function stopDripping(): void {
    if (!drops) return;
    clearInterval(drops.timer);
    if (!socket.destroyed) socket.write(drops.rest);
    drops = undefined;
  }

  function answer(request: Request): void {
    const { status, headers = {}, body = '' } = replyTo(request);
    const lines = [`RTSP/1.0 ${status}`, `CSeq: ${request.headers.get('cseq') ?? '0'}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    if (parent.refusal !== undefined || request.method === 'TEARDOWN') socket.end();
    if (request.method === 'PLAY' && status.startsWith('200')) playing = true;
  }

  function replyTo({ method, url, headers }: Request): Reply {
    const { authenticator } = parent;
    if (parent.refusal !== undefined) return { status: `${parent.refusal} Refused` };
    if (method === 'OPTIONS') {
      return {
        status: '200 OK',
        headers: { Public: 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER' },
      };
    }
    if (authenticator && !authenticator.accepts(method, headers.get('authorization'))) {
      return { status: '401 Unauthorized', headers: { 'WWW-Authenticate': authenticator.challenge } };
    }
    const path = url.replace(/^rtsps?:\/\/[^/]*/i, '').replace(/\/(trackID=0)?$/, '');
    if (path !== parent.path) return { status: '404 Not Found' };
    switch (method) {
      case 'DESCRIBE':
        return {
          status: '200 OK',
          headers: {
            'Content-Base': `${url.replace(/\/$/, '').replace(/^\w+/, parent.scheme)}/`,
            'Content-Type': 'application/sdp',
          },
          body: parent.sdp,
        };
      case 'SETUP':
        return setUp(headers.get('transport') ?? '');
      case 'PLAY':
        return { status: '200 OK', headers: { Session: session, Range: 'npt=now-' } };
      default:
        return { status: '200 OK', headers: { Session: session } };
    }
  }

  function setUp(wanted: string): Reply {
    const ports = /client_port=(\d+)/.exec(wanted)?.[1];
    const fits = parent.transport === 'tcp' ? /TCP/.test(wanted) : !/TCP/.test(wanted) && ports !== undefined;
    if (!fits) return { status: '461 Unsupported Transport' };
    const timeout = { Session: `${session};timeout=60` };
    if (parent.transport === 'tcp') {
      return { status: '200 OK', headers: { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1', ...timeout } };
    }
    media ??= { socket: openMedia(), port: Number(ports) };
    const transport = `RTP/AVP;unicast;client_port=${media.port}-${media.port + 1};server_port=6970-6971`;
    return { status: '200 OK', headers: { Transport: transport, ...timeout } };
  }
}

function openMedia(): UdpSocket {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  socket.bind(0, '127.0.0.1');
  return socket;
}

/** The first complete message; `request` is absent where it is a client's RTCP packet. */
function takeMessage(
  bytes: Buffer,
): { readonly rest: Buffer<ArrayBuffer>; readonly request?: Request } | undefined {
  if (bytes.length >= 4 && bytes.readUInt8(0) === INTERLEAVED) {
    const end = 4 + bytes.readUInt16BE(2);
    return bytes.length < end ? undefined : { rest: Buffer.from(bytes.subarray(end)) };
  }
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0 || bytes.readUInt8(0) === INTERLEAVED) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, head).split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const end = head + 4 + Number(headers.get('content-length') ?? 0);
  if (bytes.length < end) return undefined;
  const [method = '', url = ''] = first.split(' ');
  return { rest: Buffer.from(bytes.subarray(end)), request: { method, url, headers } };
}
