import { mkdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import { abortLater, isAborted, sleep } from '../core/abort.ts';
import { ActionstreamError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { ActionEvent } from '../core/records.ts';
import { createThrottledReporter, type ThrottledReporter } from '../core/throttled-reporter.ts';
import { EventFiles } from './event-files.ts';
import { makeMedia, type Episode } from './make-media.ts';
import { SegmentRing } from './segment-ring.ts';
import { Footage, removeRings } from './stream-footage.ts';
import type { MediaCounts, MediaFile, MediaKind, MediaReader, MediaSettings, MediaState } from './types.ts';

interface KeeperParts {
  readonly ffmpegPath: string;
  readonly logger: Logger;
}

interface WaitingEpisode extends Episode {
  /** When its end became known, ms on the wall clock. */
  readonly endSeenAtMs?: number;
}

const STEP_MS = 500;
const ROOM_EVERY_MS = 5000;
/** A key frame that is late, a camera that is gone: so long a clip waits for its last segment. */
const PATIENCE_MS = 20_000;
/** Episodes that wait for their clip; beyond it the oldest one gets none. */
const MOST_WAITING = 1000;
/** After the last stream: files have their clips made; a signal leaves less time. */
const FINISH_MS = 120_000;
const STOP_MS = 3000;

/**
 * Keeps snapshots and clips of the episodes of a run. An episode in one of these states:
 *
 * - **waiting**: it goes on, or the video after it has not come.
 * - **being made**: one at a time. Its clip is copied from the ring of its stream, or from its file.
 * - **kept**: its files can be read until they are too old, or there are too many.
 * - **lost**: counted by reason. What is known of it stands in words beside its files.
 *
 * Where the disk is nearly full, rings are emptied, the oldest media go, and none are made.
 */
export class MediaKeeper implements MediaReader {
  readonly #settings: MediaSettings;
  readonly #parts: KeeperParts;
  readonly #files: EventFiles;
  readonly #problems: ThrottledReporter;
  readonly #streams = new Map<string, Footage>();
  /** Of streams that were changed or removed, until their rings are empty. */
  readonly #retired = new Set<Footage>();
  readonly #waiting = new Map<string, WaitingEpisode>();
  readonly #made = { snapshot: 0, clip: 0 };
  readonly #lost = new Map<string, number>();
  #isFull = false;
  #begun = 0;
  #roomAtMs = -Infinity;

  private constructor(settings: MediaSettings, parts: KeeperParts, files: EventFiles) {
    this.#settings = settings;
    this.#parts = parts;
    this.#files = files;
    this.#problems = createThrottledReporter(parts.logger, {
      message: 'clips or snapshots could not be made',
      fields: { dir: settings.dir },
    });
  }

  /** @throws CONFIG_INVALID where the folder cannot be used */
  static async open(settings: MediaSettings, parts: KeeperParts): Promise<MediaKeeper> {
    try {
      await mkdir(settings.dir, { recursive: true, mode: 0o700 });
      await removeRings(path.join(settings.dir, 'ring'));
      return new MediaKeeper(settings, parts, await EventFiles.open(settings.dir));
    } catch (error) {
      const problem = `media.dir ${settings.dir} cannot be used: ${messageOf(error)}; name a folder that this user may write`;
      throw new ActionstreamError('CONFIG_INVALID', problem, { cause: error });
    }
  }

  /** The footage of a stream that begins; the one of an earlier life of it goes. */
  async begin(streamId: string, kind: 'live' | 'file'): Promise<Footage> {
    this.forget(streamId);
    const dir = path.join(this.#settings.dir, 'ring', streamId, String(this.#begun++));
    const ring = kind === 'live' ? await SegmentRing.open(dir) : undefined;
    const footage = new Footage(ring, (reason) => {
      this.#count(reason);
    });
    this.#streams.set(streamId, footage);
    return footage;
  }

  /** Episodes of this stream that begin from now on get no media. Those that wait get theirs. */
  forget(streamId: string): void {
    const footage = this.#streams.get(streamId);
    if (!footage) return;
    footage.isOver = true;
    this.#streams.delete(streamId);
    this.#retired.add(footage);
  }

  onEvents(events: readonly ActionEvent[]): void {
    for (const event of events) {
      const { episode_id: episodeId, stream_id: streamId, started_at: start, ended_at: end } = event;
      const known = this.#waiting.get(episodeId);
      const footage = known?.footage ?? this.#streams.get(streamId);
      if (!footage || (!known && event.state !== 'started' && end === undefined)) continue;
      this.#waiting.set(episodeId, {
        ...{ episodeId, streamId, footage, startedAtMs: Date.parse(start) },
        ...(end !== undefined && { endedAtMs: Date.parse(end), endSeenAtMs: Date.now() }),
      });
      if (this.#waiting.size <= MOST_WAITING) continue;
      const [oldest = ''] = this.#waiting.keys();
      this.#waiting.delete(oldest);
      this.#count('too_many');
    }
  }

  read(): MediaCounts {
    return {
      bytes: this.#rings().reduce((sum, { bytes }) => sum + bytes, this.#files.bytes),
      made: this.#made,
      lost: Object.fromEntries(this.#lost),
    };
  }

  async find(episodeId: string): Promise<MediaState> {
    if (this.#waiting.has(episodeId))
      return { state: 'pending', note: 'the clip is made once the episode and the time after it are over' };
    const kept = await this.#files.find(episodeId);
    if (kept) return { state: 'kept', kept };
    return { state: 'none', note: 'nothing was kept of it: no footage, switched off, or too old by now' };
  }

  open(episodeId: string, kind: MediaKind): Promise<MediaFile | undefined> {
    return this.#files.open(episodeId, kind);
  }

  /** Makes media as they become due, and keeps within the limits of the disk. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!isAborted(signal)) {
      await this.#step({ signal, isLast: false });
      await sleep(STEP_MS, signal);
    }
  }

  /** After the last stream: makes what still waits, of the video that there is. Never rejects. */
  async finish(signal: AbortSignal): Promise<void> {
    const late = abortLater(signal, STOP_MS);
    const limit = AbortSignal.any([late.signal, AbortSignal.timeout(FINISH_MS)]);
    await this.#step({ signal: limit, isLast: true });
    late.cancel();
    for (const episodeId of this.#waiting.keys()) {
      this.#waiting.delete(episodeId);
      this.#count('stopped');
    }
    this.#problems.flush();
  }

  async #step({ signal, isLast }: { readonly signal: AbortSignal; readonly isLast: boolean }): Promise<void> {
    try {
      await this.#keepRoom();
      for (const episode of [...this.#waiting.values()]) {
        if (isAborted(signal)) return;
        await episode.footage.settled();
        if (!isLast && !this.#isDue(episode)) continue;
        await this.#make(episode, signal);
        if (isAborted(signal)) return;
        // An episode that goes on has its clip: the part that it shows.
        this.#waiting.delete(episode.episodeId);
      }
    } catch (error) {
      this.#problems.note(messageOf(error));
    }
  }

  #isDue({
    footage: { ring, isOver },
    startedAtMs,
    endedAtMs,
    endSeenAtMs = Infinity,
  }: WaitingEpisode): boolean {
    const { afterMs, longestMs } = this.#settings;
    // Nothing more will come.
    if (isOver || (this.#isFull && endedAtMs !== undefined)) return true;
    if (!ring) return endedAtMs !== undefined;
    const lastMs = Math.min(endedAtMs ?? Infinity, startedAtMs + longestMs);
    return ring.toMs >= lastMs + afterMs || Date.now() - endSeenAtMs > afterMs + PATIENCE_MS;
  }

  async #make(episode: Episode, signal: AbortSignal): Promise<void> {
    // The same file once more gives the same episodes.
    if (this.#files.has(episode.episodeId)) return;
    if (this.#isFull) {
      this.#count('disk_full');
      return;
    }
    try {
      const { ffmpegPath } = this.#parts;
      const parts = { ffmpegPath, files: this.#files, settings: this.#settings, signal };
      const { kept, lost, why } = await makeMedia(episode, parts);
      if (kept.clip) this.#made.clip += 1;
      if (kept.snapshot_at !== undefined) this.#made.snapshot += 1;
      if (lost !== undefined) this.#count(lost);
      if (lost !== undefined) this.#problems.note(`${episode.streamId}: ${why ?? kept.note ?? lost}`);
    } catch (error) {
      if (isAborted(signal)) return;
      this.#count('failed');
      this.#problems.note(`${episode.streamId}: ${messageOf(error)}`);
    }
  }

  async #keepRoom(): Promise<void> {
    const { beforeMs, longestMs, afterMs, maxAgeMs, maxBytes } = this.#settings;
    const rings = this.#rings();
    const ringMs = beforeMs + longestMs + afterMs + 2 * PATIENCE_MS;
    for (const ring of rings) await ring.trim(this.#isFull ? Infinity : Date.now() - ringMs);
    for (const footage of this.#retired) if (await footage.isSpent()) this.#retired.delete(footage);
    await this.#files.expire(Date.now() - maxAgeMs);
    while (this.read().bytes > maxBytes) {
      if ((await this.#files.evict()) !== undefined) continue;
      const dropped = await Promise.all(rings.map((ring) => ring.drop()));
      this.#count('max_size');
      if (!dropped.includes(true)) break;
    }
    if (performance.now() - this.#roomAtMs < (this.#isFull ? STEP_MS : ROOM_EVERY_MS)) return;
    this.#roomAtMs = performance.now();
    await this.#shed(rings);
  }

  #rings(): readonly SegmentRing[] {
    return [...this.#streams.values(), ...this.#retired].flatMap(({ ring }) => ring ?? []);
  }

  /** Gives the disk back to others: first the rings, then the oldest media. */
  async #shed(rings: readonly SegmentRing[]): Promise<void> {
    const { dir, minFreeBytes } = this.#settings;
    const free = await freeBytes(dir);
    const wasFull = this.#isFull;
    this.#isFull = free < minFreeBytes;
    if (this.#isFull && !wasFull)
      this.#parts.logger.error({ dir, free_bytes: free }, 'the disk is nearly full: media are deleted');
    if (!this.#isFull && wasFull) this.#parts.logger.info({ dir }, 'media are kept again');
    if (!this.#isFull) return;
    for (const ring of rings) await ring.trim(Infinity);
    for (let freed = 0; free + freed < minFreeBytes;) {
      const bytes = await this.#files.evict();
      if (bytes === undefined) return;
      this.#count('disk_full');
      freed += bytes;
    }
  }

  #count(reason: string): void {
    this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + 1);
  }
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
