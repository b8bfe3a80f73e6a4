import type { ChildProcess } from 'node:child_process';
import { PassThrough, type Writable } from 'node:stream';
import { promisify } from 'node:util';

import createCommand from 'fluent-ffmpeg';

import { ActionstreamError, messageOf } from '../core/errors.ts';
import { guardArguments, GUARD_SHELL, holdGuard } from '../processes/process-guard.ts';
import type { SourceAddress } from './source-address.ts';
import { inputOptions, inputSource } from './source-input.ts';

export interface FfmpegPlan {
  readonly ffmpegPath: string;
  readonly address: SourceAddress;
  readonly kind: 'live' | 'file';
  /** Read a file no faster than it was filmed. */
  readonly realtime: boolean;
  /**
   * How long a read from the network may take before ffmpeg itself gives up. A backstop to our own watchdog.
   */
  readonly ioTimeoutMs: number;
  readonly filter: string;
  /** Folder for the encoded video; absent: it is decoded only. */
  readonly ringDir?: string;
}

export interface StartedFfmpeg {
  readonly child: ChildProcess;
  /** Resolves once the process that watches over the child is gone; it follows the child. */
  readonly watcherGone: Promise<void>;
}

/**
 * Composes the command and starts it. Raw rgb24 frames go into `pixels`,
 * whose back-pressure pauses ffmpeg; stderr carries one `frame:` line a raw frame
 * and what ffmpeg has to complain about. The caller owns the process.
 * @throws FFMPEG_MISSING where the program cannot be started
 */
export async function startFfmpeg(plan: FfmpegPlan, pixels: Writable): Promise<StartedFfmpeg> {
  await learnCapabilities(plan.ffmpegPath);
  const input = inputSource(plan.address, plan.kind, plan.ioTimeoutMs);
  // The library keeps this path for the whole process, so it may change only
  // once nobody asks for capabilities.
  const command = composeCommand(plan, input.target).setFfmpegPath(GUARD_SHELL).output(pixels, { end: true });
  keepVideo(command, plan.ringDir);
  return new Promise((resolve, reject) => {
    command.once('start', () => {
      // The library names the running process on the command but does not declare it.
      const child = (command as unknown as { readonly ffmpegProc: ChildProcess }).ffmpegProc;
      resolve({ child, watcherGone: holdGuard(child, [...input.playlist, ...resumeOptions(plan)]) });
    });
    // After the start both merely repeat what the process itself tells its supervisor.
    command.on('error', (error: Error) => {
      reject(missing(plan.ffmpegPath, error));
    });
    command.run();
  });
}

/** The arguments that a plan becomes, as the process list shows them: no secret is among them. */
export function describeArguments(plan: FfmpegPlan): readonly string[] {
  const { target } = inputSource(plan.address, plan.kind, plan.ioTimeoutMs);
  const command = composeCommand(plan, target).output(new PassThrough());
  keepVideo(command, plan.ringDir);
  return command._getArguments();
}

/**
 * A file whose connection breaks is read on from where it was, if the server answers ranges: tried at once,
 * after 1 s and after 3 s. Not `reconnect_streamed`: that one begins the file anew and takes it for the rest.
 */
function resumeOptions({ address, kind }: FfmpegPlan): readonly string[] {
  if (kind !== 'file' || !/^https?:/.test(address.url)) return [];
  return ['option reconnect 1', 'option reconnect_delay_max 4'];
}

function composeCommand(plan: FfmpegPlan, target: string): createCommand.FfmpegCommand {
  return createCommand()
    .input(target)
    .inputOptions(
      ...guardArguments(plan.ffmpegPath),
      // Each line with its level: of the information only the declared length
      // and the codec are of use (stderr-reader.ts).
      ...['-hide_banner', '-nostats', '-loglevel', 'repeat+level+info'],
      // Times as the source sends them: otherwise ffmpeg smooths resets and jumps away.
      '-copyts',
      // At its own pace one thread decodes it, 10 % cheaper, and each further
      // one would delay raw frames by one (cameras: low_delay).
      ...(plan.realtime && plan.kind === 'file' ? ['-re', '-threads', '1'] : []),
      ...inputOptions(plan.address, plan.kind),
    )
    .videoFilters(plan.filter)
    .outputOptions(
      ...['-map', '0:v:0', '-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-pix_fmt', 'rgb24'],
      // Raw video has no times, yet the muxer complains of every frame after
      // one that steps back: number them.
      ...['-bsf:v', 'setts=ts=N', '-f', 'rawvideo'],
    );
}

/** Shortest segment; the next key frame ends it. */
const SEGMENT_S = 2;

/**
 * A second output: packets as they came, in segments cut at key frames (ADR 0045). `fifo` writes them in a
 * thread of its own: a disk that is slow or full loses packets there, and decoding goes on. The list of
 * segments goes to stderr, a line each, so that it stands in order with the times of frames.
 */
function keepVideo(command: createCommand.FfmpegCommand, ringDir: string | undefined): void {
  if (ringDir === undefined) return;
  const segments = [
    ...['segment_format=mpegts', `segment_time=${SEGMENT_S}`, 'reset_timestamps=1'],
    ...['segment_list=pipe\\:2', 'segment_list_type=csv'],
  ];
  command
    .output(`${ringDir.replaceAll('%', '%%')}/ring-${Date.now()}-%06d.ts`)
    .outputOptions(
      ...['-map', '0:v:0', '-c', 'copy', '-f', 'fifo', '-fifo_format', 'segment'],
      ...['-format_opts', segments.join(':'), '-queue_size', '600', '-drop_pkts_on_overflow', '1'],
      ...['-attempt_recovery', '1', '-recover_any_error', '1', '-recovery_wait_time', '2'],
      ...['-restart_with_keyframe', '1'],
    );
}

let learned: Promise<void> | undefined;

/**
 * The library asks ffmpeg for its formats and encoders before its first command and keeps the answer for the
 * life of the process. We let it ask the real program once; from then on its "ffmpeg" is the guard's shell.
 */
function learnCapabilities(ffmpegPath: string): Promise<void> {
  learned ??= askCapabilities(ffmpegPath).catch((error: unknown) => {
    learned = undefined;
    throw missing(ffmpegPath, error);
  });
  return learned;
}

async function askCapabilities(ffmpegPath: string): Promise<void> {
  const command = createCommand().setFfmpegPath(ffmpegPath);
  await promisify(command.availableFormats.bind(command))();
  await promisify(command.availableEncoders.bind(command))();
}

function missing(ffmpegPath: string, cause: unknown): ActionstreamError {
  const message = `cannot start ffmpeg at ${ffmpegPath}: ${messageOf(cause)}; set FFMPEG_PATH or install ffmpeg 5.1 or later`;
  return new ActionstreamError('FFMPEG_MISSING', message, { cause });
}
