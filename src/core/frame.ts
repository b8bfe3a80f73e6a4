/** One decoded frame at model size. */
export interface Frame {
  readonly streamId: string;
  /**
   * Position within the stream since the program started, at the sampled frame rate; grows by one a frame.
   */
  readonly index: number;
  /** Counts discontinuities: frames of different segments were not filmed one after the other. */
  readonly segment: number;
  /** Presentation time within the segment, microseconds. */
  readonly ptsUs: number;
  /** Event time: when the camera saw it, milliseconds since 1970 (for files: start time plus pts). */
  readonly capturedAtMs: number;
  /** When this process received it, milliseconds since 1970. */
  readonly ingestedAtMs: number;
  /** Live: how far `capturedAtMs` may be from the truth, as measured when the frame arrived. */
  readonly uncertaintyMs?: number;
  readonly width: number;
  readonly height: number;
  /** rgb24, row major, width·height·3 bytes. */
  readonly data: Uint8Array;
  /**
   * Pixels of an earlier frame of the segment from which this one differs by no more than the camera's
   * noise; absent where it shows something new.
   */
  readonly still?: Uint8Array;
}

/** The unit of inference: T frames of one segment. Covers [startUs, endUs) and [startedAtMs, endedAtMs). */
export interface Clip {
  /** `<streamId>/<segment>/<startIndex>`: the same file gives the same ids in every run. */
  readonly clipId: string;
  readonly streamId: string;
  readonly segment: number;
  /** Number of the clip within the stream, from 0, without gaps before drops. */
  readonly sequence: number;
  readonly startIndex: number;
  /** Frames of the segment before the clip. */
  readonly framesBefore: number;
  /** The last of those, as many as the network sees beyond the clip's start (windowClips). */
  readonly context: readonly Frame[];
  readonly frames: readonly Frame[];
  readonly startUs: number;
  readonly endUs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Frames at the end that repeat the last real one (tail policy `pad`). */
  readonly paddedFrames: number;
}

/** A piece of a camera's encoded video on disk, cut at key frames. Shows [fromMs, toMs) of event time. */
export interface VideoSegment {
  readonly path: string;
  /** As ffmpeg calls it: `h264`. */
  readonly codec: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** From event time `fromMs` on, the clock of a video file shows `sourceUs`, until the next one comes. */
export interface FileTime {
  readonly path: string;
  /** As ffmpeg calls it: `h264`. */
  readonly codec: string;
  readonly fromMs: number;
  readonly sourceUs: number;
}

/** Where event times come from, best first. */
export type ClockSource = 'rtcp' | 'wallclock' | 'media';

/** What happened to a stream, as its source reports it. */
export interface StreamTransition {
  readonly streamId: string;
  readonly state: 'connecting' | 'up' | 'faulty' | 'stalled' | 'down' | 'ended';
  readonly atMs: number;
  /**
   * Short, closed vocabulary: `start`, `eof`, `exit`, `no_frames`,
   * `unreachable`, `unauthorized`, `pts_jump`, …
   */
  readonly reason: string;
  /** Human detail, already free of secrets. */
  readonly detail?: string;
}

/** An interval that was not watched, [fromMs, toMs). */
export interface StreamGap {
  readonly streamId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string;
}
