/** Where snapshots and clips are kept, and for how long. */
export interface MediaSettings {
  /** Absolute. */
  readonly dir: string;
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Of a longer episode the clip shows so much. */
  readonly longestMs: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** Free bytes that the disk keeps for others. */
  readonly minFreeBytes: number;
}

/** What was kept of an episode, as it stands beside its files. Times are RFC 3339. */
export interface KeptMedia {
  readonly episode_id: string;
  readonly stream_id: string;
  /** The clip shows [from, to). */
  readonly clip?: { readonly from: string; readonly to: string; readonly codec: string };
  /** Event time of the snapshot. */
  readonly snapshot_at?: string;
  /** In words, what is missing or may not play, and why. */
  readonly note?: string;
}

export type MediaKind = 'snapshot' | 'clip';

/** A file of an episode that can be read. */
export interface MediaFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

/** Media of one episode: what there is, what will be, or why there is nothing. */
export type MediaState =
  | { readonly state: 'kept'; readonly kept: KeptMedia }
  | { readonly state: 'pending' | 'none'; readonly note: string };

/** Media as the API reads them. */
export interface MediaReader {
  find(episodeId: string): Promise<MediaState>;
  /** Undefined where there is no such file. */
  open(episodeId: string, kind: MediaKind): Promise<MediaFile | undefined>;
}

export interface MediaCounts {
  /** Bytes on disk: segments, clips and snapshots. */
  readonly bytes: number;
  /** Clips and snapshots made since the start. */
  readonly made: Readonly<Record<MediaKind, number>>;
  /** Episodes without their media, and segments given up, by reason. */
  readonly lost: Readonly<Record<string, number>>;
}
