import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCodeOf } from '../core/errors.ts';
import type { KeptMedia, MediaFile, MediaKind } from './types.ts';

const SUFFIXES = { snapshot: '.jpg', clip: '.mp4' } as const satisfies Record<MediaKind, string>;
const NOTE = '.json';
const EPISODE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Clips and snapshots on disk, with a JSON file that says what they show: `events/ab/ab12….mp4`. The id of
 * an episode is the only part of a path that comes from elsewhere, and only one of this form becomes one.
 */
export class EventFiles {
  readonly #dir: string;
  /** By episode, oldest first. */
  readonly #kept = new Map<string, { bytes: number; readonly atMs: number }>();
  #bytes = 0;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** To read only: what another program keeps there. */
  static at(dir: string): Pick<EventFiles, 'find' | 'open'> {
    return new EventFiles(path.join(dir, 'events'));
  }

  /** Reads the names of what earlier runs have kept, and deletes what they left half done. */
  static async open(dir: string): Promise<EventFiles> {
    const files = new EventFiles(path.join(dir, 'events'));
    await mkdir(files.#dir, { recursive: true });
    await files.#scan();
    return files;
  }

  get bytes(): number {
    return this.#bytes;
  }

  has(episodeId: string): boolean {
    return this.#kept.has(episodeId);
  }

  /** Where a file is written before `keep` gives it its name. */
  async draft(episodeId: string, kind: MediaKind): Promise<string> {
    const place = this.#place(episodeId);
    await mkdir(path.dirname(place), { recursive: true });
    return `${place}${SUFFIXES[kind]}.part`;
  }

  /** Names the drafts, then writes what they show: whoever finds that finds them. */
  async keep(kept: KeptMedia): Promise<void> {
    const place = this.#place(kept.episode_id);
    await mkdir(path.dirname(place), { recursive: true });
    if (kept.clip) await rename(`${place}${SUFFIXES.clip}.part`, `${place}${SUFFIXES.clip}`);
    if (kept.snapshot_at !== undefined)
      await rename(`${place}${SUFFIXES.snapshot}.part`, `${place}${SUFFIXES.snapshot}`);
    await writeFile(`${place}${NOTE}.part`, `${JSON.stringify(kept)}\n`);
    await rename(`${place}${NOTE}.part`, `${place}${NOTE}`);
    await this.#index(kept.episode_id);
  }

  /** Undefined where nothing was kept. */
  async find(episodeId: string): Promise<KeptMedia | undefined> {
    if (!EPISODE_ID.test(episodeId)) return undefined;
    try {
      return JSON.parse(await readFile(`${this.#place(episodeId)}${NOTE}`, 'utf8')) as KeptMedia;
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async open(episodeId: string, kind: MediaKind): Promise<MediaFile | undefined> {
    if (!EPISODE_ID.test(episodeId)) return undefined;
    const file = `${this.#place(episodeId)}${SUFFIXES[kind]}`;
    const found = await stat(file).catch(() => undefined);
    return found && { path: file, bytes: found.size, modifiedAtMs: found.mtimeMs };
  }

  /** Deletes the media that were made before `beforeMs`. */
  async expire(beforeMs: number): Promise<void> {
    for (const [episodeId, { atMs }] of this.#kept) {
      if (atMs >= beforeMs) return;
      await this.#remove(episodeId);
    }
  }

  /** Deletes the oldest episode's media. @returns the bytes; undefined where there are none */
  async evict(): Promise<number | undefined> {
    const [oldest] = this.#kept;
    if (!oldest) return undefined;
    await this.#remove(oldest[0]);
    return oldest[1].bytes;
  }

  async #remove(episodeId: string): Promise<void> {
    const place = this.#place(episodeId);
    for (const suffix of [NOTE, ...Object.values(SUFFIXES)]) await rm(`${place}${suffix}`, { force: true });
    this.#bytes -= this.#kept.get(episodeId)?.bytes ?? 0;
    this.#kept.delete(episodeId);
  }

  #place(episodeId: string): string {
    if (!EPISODE_ID.test(episodeId)) throw new TypeError('an episode id is expected to be a UUID');
    return path.join(this.#dir, episodeId.slice(0, 2), episodeId);
  }

  async #scan(): Promise<void> {
    const found: (readonly [episodeId: string, kept: { bytes: number; readonly atMs: number }])[] = [];
    for (const shard of await readdir(this.#dir)) {
      const folder = path.join(this.#dir, shard);
      for (const name of await readdir(folder).catch(() => [])) {
        if (name.endsWith('.part')) await rm(path.join(folder, name), { force: true });
        const episodeId = name.endsWith(NOTE) ? name.slice(0, -NOTE.length) : '';
        if (EPISODE_ID.test(episodeId)) found.push([episodeId, await this.#measure(episodeId)]);
      }
    }
    found.sort(([, one], [, other]) => one.atMs - other.atMs);
    for (const [episodeId, kept] of found) this.#add(episodeId, kept);
  }

  async #index(episodeId: string): Promise<void> {
    this.#add(episodeId, await this.#measure(episodeId));
  }

  #add(episodeId: string, kept: { bytes: number; readonly atMs: number }): void {
    this.#bytes += kept.bytes - (this.#kept.get(episodeId)?.bytes ?? 0);
    this.#kept.delete(episodeId);
    this.#kept.set(episodeId, kept);
  }

  async #measure(episodeId: string): Promise<{ bytes: number; readonly atMs: number }> {
    const place = this.#place(episodeId);
    const sizes = [NOTE, ...Object.values(SUFFIXES)].map((suffix) => stat(`${place}${suffix}`));
    const found = await Promise.allSettled(sizes);
    const stats = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    return {
      bytes: stats.reduce((sum, { size }) => sum + size, 0),
      atMs: Math.max(0, ...stats.map(({ mtimeMs }) => mtimeMs)),
    };
  }
}
