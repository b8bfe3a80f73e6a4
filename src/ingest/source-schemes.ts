import { ActionstreamError } from '../core/errors.ts';

/** What ffmpeg reads over a network, as this program offers it; docs/sources.md is the table for people. */
export const SCHEMES = {
  rtsp: { port: 554 },
  rtsps: { port: 322, tls: 'rtsp' },
  http: { port: 80 },
  https: { port: 443, tls: 'http' },
  rtmp: { port: 1935, listens: /[?&]listen(=1)?(?=&|$)/ },
  rtmps: { port: 443, tls: 'rtmp' },
  rtmpt: { port: 80 },
  rtmpe: { port: 1935 },
  srt: { port: 0, listens: /[?&]mode=listener(?=&|$)/ },
  udp: { port: 0, listens: /^/ },
  rtp: { port: 0, listens: /^/ },
  tcp: { port: 0, listens: /[?&]listen(=1)?(?=&|$)/ },
  rist: { port: 0 },
  mmsh: { port: 80 },
  mmst: { port: 1755 },
  ftp: { port: 21 },
  sftp: { port: 22 },
} as const satisfies Record<string, Scheme>;

export type SchemeName = keyof typeof SCHEMES;

export interface Scheme {
  /** Where the URL names none; 0: it must. */
  readonly port: number;
  /** The scheme that is spoken inside TLS. */
  readonly tls?: 'rtsp' | 'http' | 'rtmp';
  /** Path and query of an address at which this program waits for a sender. */
  readonly listens?: RegExp;
}

/** @throws CONFIG_INVALID naming what is known */
export function knownScheme(name: string): SchemeName {
  const scheme = name.toLowerCase();
  if (Object.hasOwn(SCHEMES, scheme)) return scheme as SchemeName;
  const known = Object.keys(SCHEMES).join(', ');
  const remedy = REMEDIES[scheme] ?? 'publish it in one of these, or give the path of a file';
  throw new ActionstreamError(
    'CONFIG_INVALID',
    `${scheme}:// is no kind of source that is read here; known: ${known}, file; ${remedy}`,
  );
}

/** Inputs of ffmpeg that are devices of this machine, not addresses. */
const DEVICE =
  /^(v4l2|video4linux2?|dshow|vfwcap|avfoundation|x11grab|kmsgrab|fbdev|alsa|pulse|jack|decklink|lavfi|gdigrab):/i;

/** @throws CONFIG_INVALID where the text names a device of this machine */
export function refuseDevice(text: string): void {
  const [device] = DEVICE.exec(text) ?? [];
  if (device === undefined) return;
  throw new ActionstreamError('CONFIG_INVALID', `${device} names a device of this machine; ${DEVICE_REMEDY}`);
}

export const DEVICE_REMEDY =
  'devices are not read directly: let an RTSP server such as MediaMTX publish it, and give its rtsp:// address';

const REMEDIES: Readonly<Record<string, string>> = {
  mms: 'write mmsh:// (over HTTP) or mmst:// (over TCP)',
  onvif: 'ask the camera for its RTSP address (ONVIF GetStreamUri) and give that',
  hls: 'give the http or https address of the playlist',
  ws: 'a browser protocol; give the RTSP address of the same camera',
  wss: 'a browser protocol; give the RTSP address of the same camera',
  webrtc: 'a browser protocol; give the RTSP address of the same camera',
  whep: 'a browser protocol; give the RTSP address of the same camera',
};
