import type { SourceAddress } from './source-address.ts';

/** How ffmpeg and ffprobe are pointed at a source. */
export interface SourceInput {
  /** What follows `-i`: harmless in the process list. */
  readonly target: string;
  /** Lines for the child's stdin; empty for files. */
  readonly playlist: readonly string[];
}

/** Without TLS: ffmpeg's own checks no certificate, or not its name, in most builds (ADR 0028); see tls/. */
const NETWORK_PROTOCOLS =
  'pipe,fd,tcp,udp,rtp,rtsp,srtp,http,httpproxy,hls,rtmp,rtmpt,rtmpe,ffrtmphttp,ffrtmpcrypt,srt,rist,mmsh,mmst,ftp,sftp,crypto,data';
/** What a description of an RTP stream may lead to. */
const SDP_PROTOCOLS = 'file,crypto,data,rtp,srtp,udp';

/**
 * Network sources reach ffmpeg as a one-line playlist on stdin, read by its concat demuxer: the URL with
 * its password appears in no process list, environment or file. Files are named on the command line.
 */
export function inputSource(address: SourceAddress, kind: 'live' | 'file', ioTimeoutMs: number): SourceInput {
  if (address.path !== undefined) return { target: address.url, playlist: [] };
  const options = [
    ...connectionOptions(address, kind, Math.round(ioTimeoutMs * 1000)),
    ...(kind === 'live' ? latencyOptions(address) : []),
  ];
  return {
    target: 'pipe:0',
    // Quotes, backslashes, spaces and line ends are percent-encoded by composeSourceAddress.
    playlist: [
      'ffconcat version 1.0',
      `file '${address.url}'`,
      ...options.map((option) => `option ${option}`),
    ],
  };
}

/**
 * A source that waits for a sender is given all the time it wants; our watchdog begins with its first frame.
 */
function connectionOptions(
  { protocol, url, listens, transport, secure }: SourceAddress,
  kind: 'live' | 'file',
  timeoutUs: number,
): readonly string[] {
  if (protocol === 'rtsp') {
    return [...TRANSPORTS[transport], 'allowed_media_types video', `timeout ${timeoutUs}`];
  }
  const timeout = listens && kind === 'live' ? [] : [`rw_timeout ${timeoutUs}`];
  // A proxy of the environment must not get what is meant for a port of this machine.
  if (secure?.plain === 'http') return [...timeout, 'http_proxy none'];
  if (secure?.plain === 'rtmp') return [...timeout, `rtmp_tcurl ${rtmpApplication(url, secure)}`];
  return url.startsWith('rtmp:') && listens ? [...timeout, 'listen 1'] : timeout;
}

/** The address under which an RTMP server was reached. */
function rtmpApplication(url: string, { host, port }: NonNullable<SourceAddress['secure']>): string {
  return `rtmps://${host}:${port}/${url.split('/')[3] ?? ''}`;
}

const TRANSPORTS = {
  auto: ['rtsp_transport tcp+udp', 'rtsp_flags prefer_tcp'],
  tcp: ['rtsp_transport tcp'],
  udp: ['rtsp_transport udp'],
  multicast: ['rtsp_transport udp_multicast'],
} as const;

/** Decode what is there instead of studying it first: 2 s → 0.6–0.9 s to the first raw frame of a camera. */
function latencyOptions({ protocol }: SourceAddress): readonly string[] {
  return protocol === 'rtsp' ? ['fflags nobuffer', 'probesize 32', 'analyzeduration 0'] : ['fflags nobuffer'];
}

/** Options of ffmpeg (and ffprobe) that come before `-i`. */
export function inputOptions(address: SourceAddress, kind: 'live' | 'file'): readonly string[] {
  if (address.protocol === 'file') return [];
  if (address.protocol === 'sdp') return ['-protocol_whitelist', SDP_PROTOCOLS];
  const playlist = ['-f', 'concat', '-safe', '0', '-protocol_whitelist', NETWORK_PROTOCOLS];
  if (kind === 'file') return playlist;
  // The playlist reader studies what the inner reader hands it: the same options once more.
  const outer = latencyOptions(address).flatMap((option) => `-${option}`.split(' '));
  return [...playlist, ...outer, '-flags', 'low_delay'];
}
