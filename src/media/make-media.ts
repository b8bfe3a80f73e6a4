import { rm } from 'node:fs/promises';
import { messageOf } from '../core/errors.ts';
import { toRfc3339 } from '../core/time.ts';
import { clipOfFile, clipOfSegments, snapshotOfFile, snapshotOfSegment } from './cut.ts';
import type { EventFiles } from './event-files.ts';
import type { Footage } from './stream-footage.ts';
import type { KeptMedia, MediaSettings } from './types.ts';

/** What is known of an episode when its media are made. */
export interface Episode {
  readonly episodeId: string;
  readonly streamId: string;
  readonly footage: Footage;
  readonly startedAtMs: number;
  /** Absent: it goes on. */
  readonly endedAtMs?: number;
}

interface MakeParts {
  readonly ffmpegPath: string;
  readonly files: EventFiles;
  readonly settings: Pick<MediaSettings, 'beforeMs' | 'afterMs' | 'longestMs'>;
  readonly signal: AbortSignal;
}

interface Made {
  readonly kept: KeptMedia;
  /** Why something is missing, as metrics count it. */
  readonly lost?: string;
  /** For the log. */
  readonly why?: string;
}

/** The snapshot shows the middle of the episode's first seconds. */
const SHOWN_MS = 4000;
const NO_SEGMENT =
  'there is no footage of that time: the camera was away, had just come, or sends what cannot be kept, as MJPEG';
const NO_FILE =
  'there is no footage: of files, only those on the disk of the program are cut, and none whose clock steps back';
/** Codecs that browsers play inside MP4, most of them everywhere. */
const PLAYED = ['h264', 'vp9', 'av1'];

/**
 * Makes the clip and the snapshot of one episode and keeps them, with a note of what is missing. A file that
 * cannot be made leaves the other.
 */
export async function makeMedia(episode: Episode, parts: MakeParts): Promise<Made> {
  const { episodeId, streamId, footage, startedAtMs, endedAtMs = Infinity } = episode;
  const { settings, files } = parts;
  const lastMs = Math.min(endedAtMs, startedAtMs + settings.longestMs);
  const wanted: Wanted = {
    fromMs: startedAtMs - settings.beforeMs,
    toMs: lastMs + settings.afterMs,
    atMs: startedAtMs + Math.min(lastMs - startedAtMs, SHOWN_MS) / 2,
  };
  const ids = { episode_id: episodeId, stream_id: streamId };
  const source = footage.ring ? ofRing(footage, wanted) : ofFile(footage, wanted);
  if (!source) {
    const kept = { ...ids, note: footage.ring ? NO_SEGMENT : NO_FILE };
    await files.keep(kept);
    return { kept, lost: 'no_footage' };
  }
  const problems: string[] = [];
  const failures: string[] = [];
  const make = async (kind: 'snapshot' | 'clip'): Promise<boolean> => {
    const to = await files.draft(episodeId, kind);
    try {
      await source[kind]({ to, ffmpegPath: parts.ffmpegPath, signal: parts.signal });
      return true;
    } catch (error) {
      await rm(to, { force: true });
      if (parts.signal.aborted) throw error;
      problems.push(`there is no ${kind}: ffmpeg could not cut it, and the log says why`);
      failures.push(`no ${kind}: ${firstLine(messageOf(error))}`);
      return false;
    }
  };
  const hasSnapshot = await make('snapshot');
  const hasClip = await make('clip');
  const { codec, shown } = source;
  if (hasClip && !PLAYED.includes(codec)) problems.push(notPlayed(codec));
  const kept: KeptMedia = {
    ...ids,
    ...(hasClip && {
      clip: { from: toRfc3339(shown.fromMs), to: toRfc3339(shown.toMs), codec },
    }),
    ...(hasSnapshot && { snapshot_at: toRfc3339(source.snapshotAtMs) }),
    ...(problems.length > 0 && { note: problems.join('; ') }),
  };
  await files.keep(kept);
  return failures.length === 0 ? { kept } : { kept, lost: 'failed', why: failures.join('; ') };
}

/** In event time: the clip, and the moment of the snapshot. */
interface Wanted {
  readonly fromMs: number;
  readonly toMs: number;
  readonly atMs: number;
}

interface Source {
  readonly codec: string;
  /** What the clip will show. */
  readonly shown: { readonly fromMs: number; readonly toMs: number };
  readonly snapshotAtMs: number;
  readonly clip: (cut: CutTo) => Promise<void>;
  readonly snapshot: (cut: CutTo) => Promise<void>;
}

interface CutTo {
  readonly to: string;
  readonly ffmpegPath: string;
  readonly signal: AbortSignal;
}

function ofRing({ ring }: Footage, { fromMs, toMs, atMs }: Wanted): Source | undefined {
  const segments = ring?.between(fromMs, toMs) ?? [];
  const [first] = segments;
  const last = segments.at(-1);
  if (!first || !last) return undefined;
  // Over a hole the last frame before it is the nearest that there is.
  const shown = segments.findLast((segment) => segment.fromMs <= atMs) ?? first;
  return {
    codec: first.codec,
    shown: { fromMs: first.fromMs, toMs: last.toMs },
    snapshotAtMs: Math.min(Math.max(atMs, shown.fromMs), shown.toMs),
    clip: (cut) => clipOfSegments(segments, cut),
    snapshot: (cut) => snapshotOfSegment(shown, atMs, cut),
  };
}

function ofFile(footage: Footage, { fromMs, toMs, atMs }: Wanted): Source | undefined {
  const time = footage.fileTime(atMs);
  if (!time) return undefined;
  const shown = { fromMs: Math.max(fromMs, time.fromMs), toMs };
  return {
    codec: time.codec,
    shown,
    snapshotAtMs: atMs,
    clip: (cut) => clipOfFile(time, shown, cut),
    snapshot: (cut) => snapshotOfFile(time, atMs, cut),
  };
}

function notPlayed(codec: string): string {
  return codec === 'hevc'
    ? 'the camera sends H.265, which some browsers do not play: set it to H.264, or download the clip'
    : `the source sends ${codec}, which browsers do not play: download the clip, or set the camera to H.264`;
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 300);
}
