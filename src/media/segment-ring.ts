import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { VideoSegment } from '../core/frame.ts';

interface KeptSegment extends VideoSegment {
  readonly bytes: number;
}

/** A segment that reaches back further than this into the one before shows a jump of the clock. */
const MOST_OVERLAP_MS = 1000;
/** What ffmpeg is writing, or wrote before it was killed. */
const WRITTEN = /^ring-(\d+)-\d+\.ts$/;

/** The last minutes of one camera's encoded video, oldest segment first. It begins empty with each run. */
export class SegmentRing {
  readonly dir: string;
  #segments: readonly KeptSegment[] = [];
  #count = 0;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async open(dir: string): Promise<SegmentRing> {
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    return new SegmentRing(dir);
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Event time up to which there is video; 0 where there is none. */
  get toMs(): number {
    return this.#segments.at(-1)?.toMs ?? 0;
  }

  /**
   * Takes a segment over under a name of its own: ffmpeg counts anew after a failure of the disk.
   * @returns false where it cannot be placed in time, and was deleted
   */
  async add(segment: VideoSegment): Promise<boolean> {
    await this.#removeLeftovers(segment);
    if (segment.toMs <= segment.fromMs || segment.fromMs < this.toMs - MOST_OVERLAP_MS) {
      await rm(segment.path, { force: true });
      return false;
    }
    const own = path.join(this.dir, `kept-${String(this.#count++).padStart(8, '0')}.ts`);
    await rename(segment.path, own);
    const { size: bytes } = await stat(own);
    this.#segments = [...this.#segments, { ...segment, path: own, bytes }];
    return true;
  }

  /** Those that show any of [fromMs, toMs). */
  between(fromMs: number, toMs: number): readonly VideoSegment[] {
    return this.#segments.filter((segment) => segment.toMs > fromMs && segment.fromMs < toMs);
  }

  /** Deletes what was filmed before; a machine whose clock was set back begins anew. */
  async trim(beforeMs: number): Promise<void> {
    while ((this.#segments[0]?.toMs ?? Infinity) < beforeMs) await this.drop();
  }

  /** Deletes the oldest segment. @returns false where there is none */
  async drop(): Promise<boolean> {
    const [oldest, ...others] = this.#segments;
    if (!oldest) return false;
    this.#segments = others;
    await rm(oldest.path, { force: true });
    return true;
  }

  /** Files of an ffmpeg that has ended before it told of them. */
  async #removeLeftovers({ path: newest }: VideoSegment): Promise<void> {
    const life = WRITTEN.exec(path.basename(newest))?.[1];
    for (const name of await readdir(this.dir)) {
      const other = WRITTEN.exec(name)?.[1];
      if (other !== undefined && Number(other) < Number(life))
        await rm(path.join(this.dir, name), { force: true });
    }
  }
}
