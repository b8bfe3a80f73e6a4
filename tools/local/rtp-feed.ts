import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import { guardArguments, GUARD_SHELL, holdGuard } from '../../src/processes/process-guard.ts';

export interface RtpFeed extends AsyncDisposable {
  /** Session description with one video stream, as ffmpeg wrote it. */
  readonly sdp: string;
}

/**
 * Plays a file's video in real time as RTP packets (ffmpeg → UDP on the loopback → `onPacket`), without
 * re-encoding. ffmpeg runs under the guard of the ingest stage: it dies with this process, however that ends.
 */
export async function startRtpFeed(
  { file, ffmpegPath, loop }: { readonly file: string; readonly ffmpegPath: string; readonly loop: boolean },
  onPacket: (packet: Buffer) => void,
): Promise<RtpFeed> {
  const udp = createSocket('udp4');
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  udp.setRecvBufferSize(4 << 20);

  const child = spawn(GUARD_SHELL, [
    ...guardArguments(ffmpegPath),
    ...[
      '-hide_banner',
      '-loglevel',
      'error',
      '-re',
      ...(loop ? ['-stream_loop', '-1'] : []),
      '-i',
      `file:${file}`,
    ],
    ...[
      '-map',
      '0:v:0',
      '-an',
      '-c',
      'copy',
      '-f',
      'rtp',
      `rtp://127.0.0.1:${udp.address().port}?pkt_size=1316`,
    ],
  ]);
  void holdGuard(child, []);
  const gone = once(child, 'close');
  let sdp = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (sdp += text));
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaints = (complaints + text).slice(-2000)));

  const firstPacket = once(udp, 'message');
  udp.on('message', (packet: Buffer) => {
    if (!isRtcp(packet)) onPacket(packet);
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
    udp.close();
    await once(udp, 'close');
  };
  // ffmpeg writes the description before the first packet, but the pipe may be slower than the socket.
  const described = new Promise<void>((resolve) => {
    child.stdout.on('data', () => {
      if (/a=rtpmap/.test(sdp)) resolve();
    });
  });
  const started = Promise.all([firstPacket, described]).then(() => true);
  if (await Promise.race([started, gone.then(() => false)])) return { sdp, [Symbol.asyncDispose]: stop };
  await stop();
  throw new Error(`ffmpeg cannot play ${file} as RTP: ${complaints.trim()}`);
}

/** RTCP shares the port here; its packet types 200–204 look like payload types 72–76 with the marker set. */
function isRtcp(packet: Buffer): boolean {
  const type = packet.readUInt8(1) & 0x7f;
  return type >= 72 && type <= 76;
}
