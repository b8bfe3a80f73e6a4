import type {
  Clip,
  ClockSource,
  FileTime,
  StreamGap,
  StreamTransition,
  VideoSegment,
} from '../core/frame.ts';
import type { Polygon, Region, Zone } from '../core/region.ts';
import type { Logger } from '../core/logger.ts';
import type { FaultLimits } from './fault-watch.ts';

/** What the pipeline needs to know of one stream; config validates and fills it. */
export interface StreamOptions {
  readonly streamId: string;
  /** rtsp://, rtsps://, http(s):// or a path that ffmpeg reads. May carry user and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** How RTSP media travel. Default `auto`. */
  readonly transport?: RtspTransport;
  /**
   * Whom an https, rtsps or rtmps source may be. Default: whoever the authorities of this machine vouch for.
   */
  readonly tls?: SourceTrust;
  /** `live`: endless, reconnects. `file`: ends at its end. Default by URL scheme. */
  readonly kind: 'live' | 'file';
  /** A file is read no faster than it was filmed, as if it were a camera. */
  readonly realtime: boolean;
  /**
   * `every_frame`: the decoder waits for inference. `freshest`: never waits;
   * the oldest clip is dropped and counted.
   */
  readonly policy: 'every_frame' | 'freshest';
  readonly window: WindowOptions;
  readonly width: number;
  readonly height: number;
  /** How the frame is fitted to width×height: `stretch` (aspect not kept) or `crop` (centre). */
  readonly fit: 'stretch' | 'crop';
  /** The frame is brought to so many times that size, and its middle cut out. Default 1. */
  readonly scale?: number;
  /** Included zones: the rest is blank to the network. Excluded ones, and masks: they are. */
  readonly zones?: readonly Zone[];
  readonly masks?: readonly Polygon[];
  /** When the frame is a fault; absent: it is not watched over. */
  readonly faults?: FaultLimits;
  /** Event time of the first frame of a file, ms since 1970; absent: file-relative (1970-01-01 plus pts). */
  readonly startTimeMs?: number;
  /**
   * Until when an earlier run of the program watched this stream, ms since 1970; live only, absent: never.
   */
  readonly watchedUntilMs?: number;
  /** Why nobody watched since then: the reason of the gap before the first frame. Default `not_running`. */
  readonly unwatchedBecause?: string;
  /**
   * From frame to frame. Before the first one it is at least ten seconds: a
   * camera answers, then sends a key frame.
   */
  readonly noFrameTimeoutMs: number;
  readonly reconnect: { readonly firstMs: number; readonly maxMs: number; readonly maxAttempts: number };
  /** Clips that may wait for inference; beyond it the policy acts. */
  readonly queueClips: number;
  readonly ffmpegPath: string;
  /**
   * Folder in which ffmpeg keeps the encoded video as it came, in segments; whoever is told of one deletes
   * it. Live only; absent: none is kept.
   */
  readonly ringDir?: string;
}

/** `auto`: inside the RTSP connection; where the camera refuses that (461), over UDP. */
export type RtspTransport = 'auto' | 'tcp' | 'udp' | 'multicast';

/** How the certificate of a source is checked. */
export interface SourceTrust {
  /** Authorities, PEM; in place of those of this machine. */
  readonly ca?: string;
  /** Name that the certificate must carry, in place of the host of the URL. */
  readonly serverName?: string;
  /** Any certificate is accepted. */
  readonly insecure?: boolean;
}

/** Clips of `frames` frames at `fps`, one every `stride` frames. */
export interface WindowOptions {
  readonly frames: number;
  readonly stride: number;
  readonly fps: number;
  /**
   * What becomes of the frames after the last full clip: dropped, or repeated
   * to a full clip, or a shorter clip.
   */
  readonly tail: 'drop' | 'pad' | 'short';
  /** Frames before a clip that it brings along, where its segment has them. Default 0. */
  readonly context?: number;
}

export interface StreamHooks {
  readonly logger: Logger;
  onTransition(transition: StreamTransition): void;
  onGap(gap: StreamGap): void;
  /** The clips pulled so far have been scored up to here, ms since 1970. */
  onWatched?(untilMs: number): void;
  /** A segment is complete in `ringDir`. */
  onSegment?(segment: VideoSegment): void;
  /** A segment of a video file on disk begins. */
  onFileTime?(time: FileTime): void;
}

export interface StreamCounters {
  readonly framesDecoded: number;
  readonly clipsFormed: number;
  readonly clipsDropped: Readonly<Record<string, number>>;
  readonly framesDropped: Readonly<Record<string, number>>;
  readonly reconnects: Readonly<Record<string, number>>;
  /**
   * What was wrong with the clock of the source or of the machine: `drift`, `machine_clock_set`, `no_times`.
   */
  readonly clockFaults: Readonly<Record<string, number>>;
  readonly lastFrameAtMs?: number;
}

/**
 * One stream as clips, pulled. The decoder is always drained or paused as the policy says; a slow
 * reader never stalls a camera. Iteration ends at the end of a file, or within 1 s of an abort, with
 * every child process gone; it throws an ActionstreamError where the source cannot be read at all.
 */
export interface ClipStream {
  readonly streamId: string;
  readonly clockSource: ClockSource;
  readonly counters: StreamCounters;
  /** The part of the frame that frames show, as far as its shape is known by now. */
  readonly view: Region;
  /** Clips that wait to be pulled, and how many may. */
  readonly queue: { readonly length: number; readonly capacity: number };
  /** A clip counts as scored once the next one is pulled, unless it was given up before. */
  clips(signal: AbortSignal): AsyncIterable<Clip>;
  /** The clip could not be scored: its time was not watched, unless other clips cover it. */
  giveUp(clip: Clip, reason: string): void;
}
