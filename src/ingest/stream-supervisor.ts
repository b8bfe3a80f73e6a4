import { backoffMs, sleep, stopReasonOf } from '../core/abort.ts';
import type { FfmpegEnd } from './ffmpeg-run.ts';
import { endsBeforePackets, missingRest, silentRest } from './file-end.ts';
import { demandReadable } from './local-file.ts';
import { measureVideo } from './probe.ts';
import type { SourceAddress } from './source-address.ts';
import { classifyFault, faultError, type SourceFault } from './source-faults.ts';
import type { StreamOptions } from './types.ts';

/** What the supervisor needs from its stream. */
export interface SupervisorParent {
  /** One life of ffmpeg. */
  run(signal: AbortSignal): Promise<FfmpegEnd>;
  transition(state: 'connecting' | 'down' | 'ended', reason: string, detail?: string): void;
  reconnecting(fault: SourceFault): void;
}

/**
 * Keeps one source going. States and their transitions as reported to the parent:
 *
 *     connecting ─▶ up (parent, first raw frame) ─▶ stalled (parent, watchdog) ─▶ down ─▶ back-off ─▶ …
 *
 * - When a live source's ffmpeg ends, whatever its exit code: down, then
 *   back-off of 1 s → 30 s (by options) with jitter.
 * - When a live run delivered raw frames for ten first delays: the back-off starts anew.
 * - When `maxAttempts` live runs in a row failed: it ends with an error; by default it never does.
 * - When a file's ffmpeg exits 0 with frames, and read to the end: it ends
 *   well. Damage in the middle is a detail.
 * - When a file or its connection breaks off, or the rest cannot be decoded: an error says how much was read
 *   (file-end.ts). The frames before it have been delivered when this throws.
 */
export async function superviseStream(
  options: StreamOptions,
  address: SourceAddress,
  parent: SupervisorParent,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (options.kind === 'file') await readFile(options, address, parent, signal);
    else await keepConnected(options, address, parent, signal);
  } catch (error) {
    parent.transition(
      'ended',
      signal.aborted ? endReason(signal) : 'error',
      error instanceof Error ? error.message : undefined,
    );
    throw error;
  }
}

async function keepConnected(
  { reconnect }: StreamOptions,
  address: SourceAddress,
  parent: SupervisorParent,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    parent.transition('connecting', attempt === 0 ? 'start' : 'reconnect');
    const end = await parent.run(signal);
    if (end.cause === 'aborted') break;
    const fault = faultOf(end);
    parent.transition('down', fault.reason, fault.detail);
    if (fault.code === 'FFMPEG_MISSING') throw faultError(address, fault);
    if (end.healthyMs >= 10 * reconnect.firstMs) attempt = 0;
    if (attempt + 1 >= reconnect.maxAttempts) throw faultError(address, fault);
    parent.reconnecting(fault);
    await sleep(backoffMs(attempt, reconnect), signal);
  }
  parent.transition('ended', endReason(signal));
}

async function readFile(
  { window, ffmpegPath }: StreamOptions,
  address: SourceAddress,
  parent: SupervisorParent,
  signal: AbortSignal,
): Promise<void> {
  parent.transition('connecting', 'start');
  if (address.path !== undefined) await demandReadable(address.path);
  const end = await parent.run(signal);
  if (end.cause === 'aborted') {
    parent.transition('ended', endReason(signal));
    return;
  }
  const fault = faultOf(end);
  if (end.cause !== 'exited' || end.exitCode !== 0 || end.rawFrames === 0) throw faultError(address, fault);
  const missing = missingRest(end, { local: address.protocol === 'file', fps: window.fps });
  if (missing) throw faultError(address, missing);
  if (endsBeforePackets(end)) {
    const silent = silentRest(end, await measureVideo(address, ffmpegPath, signal));
    if (silent) throw faultError(address, silent);
  }
  parent.transition('ended', 'eof', end.messages.at(-1));
}

/** Of an aborted stream. */
function endReason(signal: AbortSignal): string {
  return stopReasonOf(signal) ?? 'aborted';
}

function faultOf(end: FfmpegEnd): SourceFault {
  if (end.cause === 'stalled') {
    return { reason: 'no_frames', code: 'SOURCE_STALLED', detail: 'connected, but no frames came in time' };
  }
  if (end.cause === 'unpaired') {
    const detail = 'ffmpeg does not give each frame one time, so none can be trusted';
    return { reason: 'invalid_data', code: 'INPUT_INVALID', detail };
  }
  const fallback: SourceFault =
    end.rawFrames === 0
      ? { reason: 'no_video', code: 'SOURCE_NO_VIDEO', detail: 'ffmpeg found no video frame' }
      : {
          reason: 'exit',
          code: 'INPUT_INVALID',
          detail: end.messages.at(-1) ?? 'the source closed the connection',
        };
  // Messages of a run that worked for a while tell of damaged frames, not of why it ended.
  return end.rawFrames === 0 || end.exitCode !== 0 ? classifyFault(end.messages, fallback) : fallback;
}
