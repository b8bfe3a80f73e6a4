import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { FileTime, VideoSegment } from '../core/frame.ts';
import type { SegmentRing } from './segment-ring.ts';

/** Video of one stream that a clip can be made of, and what a stream tells of it. */
export interface StreamFootage {
  /** Where ffmpeg writes segments; absent for files, which are there already. */
  readonly ringDir: string | undefined;
  onSegment(segment: VideoSegment): void;
  onFileTime(time: FileTime): void;
}

/** Times of one file that are remembered: a recording whose clock jumps more often is not to be trusted. */
const MOST_FILE_TIMES = 10_000;

/** What is rounding, and no step of a clock. */
const OUT_OF_ORDER_US = 500_000;
/** What a segment can be read back with (MPEG-TS). */
const READABLE = ['h264', 'hevc', 'mpeg4', 'mpeg2video', 'mpeg1video'];

/** The footage of one stream: a ring of segments, or the file itself. */
export class Footage implements StreamFootage {
  readonly ring: SegmentRing | undefined;
  /** Nothing more will come. */
  isOver = false;
  readonly #onLost: (reason: string) => void;
  #times: readonly FileTime[] = [];
  #stepsBack = false;
  #adding: Promise<void> = Promise.resolve();

  constructor(ring: SegmentRing | undefined, onLost: (reason: string) => void) {
    this.ring = ring;
    this.#onLost = onLost;
  }

  get ringDir(): string | undefined {
    return this.ring?.dir;
  }

  onSegment(segment: VideoSegment): void {
    this.#adding = this.#adding.then(async () => {
      if (!READABLE.includes(segment.codec)) {
        await rm(segment.path, { force: true });
        this.#onLost('codec');
        return;
      }
      const isPlaced = await this.ring?.add(segment).catch(() => false);
      if (isPlaced === false) this.#onLost('segment');
    });
  }

  onFileTime(time: FileTime): void {
    const last = this.#times.at(-1);
    const reachedUs = last ? last.sourceUs + (time.fromMs - last.fromMs) * 1000 : -Infinity;
    this.#stepsBack ||= time.sourceUs < reachedUs - OUT_OF_ORDER_US;
    this.#times = [...this.#times, time].slice(-MOST_FILE_TIMES);
  }

  /** Where an event time lies in the file; undefined where its clock shows some times twice. */
  fileTime(atMs: number): FileTime | undefined {
    if (this.#stepsBack) return undefined;
    return this.#times.findLast(({ fromMs }) => fromMs <= atMs) ?? this.#times[0];
  }

  /** Of a stream that is over: its ring is empty, and its folder gone. */
  async isSpent(): Promise<boolean> {
    if (this.ring && this.ring.toMs > 0) return false;
    if (this.ring) await rm(this.ring.dir, { recursive: true, force: true });
    return true;
  }

  /** Resolves once every segment that was told of is in the ring. */
  settled(): Promise<void> {
    return this.#adding;
  }
}

/** Rings of an earlier run hold nothing that this run needs. */
export async function removeRings(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const name of await readdir(dir)) await rm(path.join(dir, name), { recursive: true, force: true });
}
