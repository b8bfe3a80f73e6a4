import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { ActionstreamError } from '../core/errors.ts';
import { guardArguments, GUARD_SHELL, holdGuard } from '../processes/process-guard.ts';
import { composeSourceAddress, type SourceAddress, type SourceLocation } from './source-address.ts';
import { classifyFault, faultError, redacted } from './source-faults.ts';
import { demandReadable } from './local-file.ts';
import { parseProbe, type SourceReport } from './probe-report.ts';
import { inputOptions, inputSource } from './source-input.ts';
import { openTlsRelay } from './tls/relay.ts';

interface ProbeOptions extends SourceLocation {
  readonly ffmpegPath: string;
  /** Packets are measured over so many seconds of media. Default 3. */
  readonly seconds?: number;
  /** The whole probe may take so long. Default 15 s. */
  readonly timeoutMs?: number;
}

/**
 * Looks at a source for a few seconds with the ffprobe that lies beside ffmpeg.
 * @throws FFMPEG_MISSING, SOURCE_UNREACHABLE, SOURCE_UNAUTHORIZED, SOURCE_NOT_FOUND,
 *   SOURCE_NO_VIDEO, SOURCE_STALLED, INPUT_INVALID; ABORTED where the signal fires
 */
export async function probeSource(options: ProbeOptions, signal: AbortSignal): Promise<SourceReport> {
  const { seconds = 3, timeoutMs = 15_000 } = options;
  const address = composeSourceAddress(options);
  if (address.path !== undefined) await demandReadable(address.path);
  const ffprobe = await besideFfmpeg(options.ffmpegPath);
  // Stamps that lie (MJPEG over HTTP has none, and ffmpeg makes them up) may
  // take long to pass: then arrival times count.
  const mayLie = /^https?:/i.test(options.url);
  const attempts = mayLie
    ? ([
        { stamps: 'media', timeoutMs: timeoutMs / 2 },
        { stamps: 'arrival', timeoutMs: timeoutMs / 2 },
      ] as const)
    : ([{ stamps: 'media', timeoutMs }] as const);
  let answer: ProbeAnswer | undefined;
  for (const { stamps, timeoutMs: limitMs } of attempts) {
    const timeout = AbortSignal.timeout(limitMs);
    const limits = { seconds, timeoutMs: limitMs, stamps };
    const found = await runProbe(ffprobe, address, limits, AbortSignal.any([signal, timeout]));
    if (signal.aborted) throw new ActionstreamError('ABORTED', 'probe interrupted');
    if (!timeout.aborted) {
      answer = found;
      break;
    }
  }
  if (!answer) {
    const detail = `no answer within ${timeoutMs} ms`;
    throw faultError(address, { reason: 'no_frames', code: 'SOURCE_STALLED', detail });
  }
  const { exitCode, stdout, messages } = answer;
  const report = exitCode === 0 ? parseProbe(stdout, address.display) : undefined;
  if (report) return report;
  const nothing = { reason: 'no_video', code: 'SOURCE_NO_VIDEO', detail: 'no video stream' } as const;
  throw faultError(address, classifyFault(messages, nothing));
}

/**
 * Length of the video by the times of its first and last packets, ms, whether they can be decoded or not.
 * Undefined where ffprobe cannot tell.
 */
export async function measureVideo(
  address: SourceAddress,
  ffmpegPath: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const ffprobe = await besideFfmpeg(ffmpegPath).catch(() => undefined);
  if (ffprobe === undefined || signal.aborted) return undefined;
  const asked = ['-select_streams', 'v:0', '-show_entries', 'stream=duration', '-of', 'csv=p=0'];
  const { stdout } = await askFfprobe(ffprobe, address, { asked, timeoutMs: MEASURE_MS }, signal);
  // A transport stream lists its streams a second time, by programme.
  const [seconds] = stdout.split(/[\n,]/).filter((field) => /^\d+(\.\d+)?$/.test(field));
  return seconds === undefined ? undefined : Math.round(1000 * Number(seconds));
}

const MEASURE_MS = 15_000;

interface ProbeLimits {
  readonly seconds: number;
  readonly timeoutMs: number;
  /** Which time a packet has: its own stamp, or when it arrived. */
  readonly stamps: 'media' | 'arrival';
}

interface ProbeAnswer {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly messages: readonly string[];
}

function runProbe(
  ffprobe: string,
  source: SourceAddress,
  { seconds, timeoutMs, stamps }: ProbeLimits,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const asked = [
    ...(stamps === 'arrival' ? ['-use_wallclock_as_timestamps', '1'] : []),
    ...['-select_streams', 'v:0', '-read_intervals', `%+${seconds}`],
    ...[
      '-show_entries',
      'format=duration,format_name:stream=codec_name,width,height,avg_frame_rate,sample_aspect_ratio:packet=pts_time,flags',
    ],
    ...['-of', 'json'],
  ];
  return askFfprobe(ffprobe, source, { asked, timeoutMs }, signal);
}

async function askFfprobe(
  ffprobe: string,
  source: SourceAddress,
  { asked, timeoutMs }: { readonly asked: readonly string[]; readonly timeoutMs: number },
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const problems: string[] = [];
  await using relay = await openTlsRelay(source, (problem) => problems.push(problem));
  const { address } = relay;
  const { target, playlist } = inputSource(address, 'file', timeoutMs);
  const child = spawn(GUARD_SHELL, [
    ...guardArguments(ffprobe),
    ...['-hide_banner', '-loglevel', 'error', ...inputOptions(address, 'file')],
    ...asked,
    ...['-i', target],
  ]);
  const watcherGone = holdGuard(child, playlist);
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  if (signal.aborted) kill();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  try {
    await once(child, 'close');
    await watcherGone;
  } finally {
    signal.removeEventListener('abort', kill);
  }
  const messages = [...stderr.split('\n'), ...problems].filter((line) => line.trim() !== '');
  return { exitCode: child.exitCode, stdout, messages: messages.map((line) => redacted(line, address)) };
}

async function besideFfmpeg(ffmpegPath: string): Promise<string> {
  const name = basename(ffmpegPath).replace(/ffmpeg/, 'ffprobe');
  // A bare name is looked up in PATH when it is started.
  if (name === ffmpegPath.replace(/ffmpeg/, 'ffprobe')) return name;
  const path = join(dirname(ffmpegPath), name);
  try {
    await access(path, constants.X_OK);
    return path;
  } catch (cause) {
    throw new ActionstreamError(
      'FFMPEG_MISSING',
      `no ffprobe at ${path}: it comes with the ffmpeg package of the system; point FFMPEG_PATH there`,
      { cause },
    );
  }
}
