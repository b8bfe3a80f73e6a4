import type { SourceAddress } from './source-address.ts';

/** How ffmpeg and ffprobe are pointed at a source. */
export interface SourceInput {
  /** What follows `-i`: harmless in the process list. */
  readonly target: string;
  /** Lines for the child's stdin; empty for files. */
  readonly playlist: readonly string[];
}

const NETWORK_PROTOCOLS =
  'pipe,fd,tcp,udp,rtp,rtsp,rtsps,srtp,tls,http,https,httpproxy,hls,rtmp,rtmps,srt,crypto,data';

/**
 * Network sources reach ffmpeg as a one-line playlist on stdin, read by its concat demuxer: the URL with its password appears in no
 * process list, environment or file. Files are named on the command line.
 */
export function inputSource(address: SourceAddress, kind: 'live' | 'file', ioTimeoutMs: number): SourceInput {
  if (address.protocol === 'file') return { target: address.url, playlist: [] };
  const timeoutUs = Math.round(ioTimeoutMs * 1000);
  const transport =
    address.protocol === 'rtsp'
      ? ['rtsp_transport tcp', 'allowed_media_types video', `timeout ${timeoutUs}`]
      : [`rw_timeout ${timeoutUs}`];
  const options = kind === 'live' ? [...transport, ...latencyOptions(address)] : transport;
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

/** Decode what is there instead of studying it first: 2 s → 0.6–0.9 s to the first picture of a camera. */
function latencyOptions({ protocol }: SourceAddress): readonly string[] {
  return protocol === 'rtsp' ? ['fflags nobuffer', 'probesize 32', 'analyzeduration 0'] : ['fflags nobuffer'];
}

/** Options of ffmpeg (and ffprobe) that come before `-i`. */
export function inputOptions(address: SourceAddress, kind: 'live' | 'file'): readonly string[] {
  if (address.protocol === 'file') return [];
  const playlist = ['-f', 'concat', '-safe', '0', '-protocol_whitelist', NETWORK_PROTOCOLS];
  if (kind === 'file') return playlist;
  // The playlist reader studies what the inner reader hands it: the same options once more.
  const outer = latencyOptions(address).flatMap((option) => `-${option}`.split(' '));
  return [...playlist, ...outer, '-flags', 'low_delay'];
}
