import { computed, signal } from '@preact/signals';
import { now } from './now.ts';
import type { ActionEvent, ClipStats, Gap, Stream, StreamStatus } from '../../../src/client/index.ts';

/** About half an hour at two clips a second. */
const MOST_CLIPS = 3600;
const MOST_EVENTS = 500;
/** The program repeats what it says of a stream every 8 s. */
const SILENT_MS = 25_000;

/** One stream as the page knows it: its view from the API, and what arrived since the page was opened. */
export class LiveStream {
  readonly id: string;
  readonly #told;
  readonly #heardAtMs = signal(Date.now());
  readonly #isSilent = computed(() => now.value - this.#heardAtMs.value > SILENT_MS);
  /** As it was told last; after too long a silence nobody knows what the stream does. */
  readonly view = computed(() => {
    const told = this.#told.value;
    const isFinal = told.state === 'ended' || told.state === 'paused';
    const since = new Date(this.#heardAtMs.value).toISOString();
    return this.#isSilent.value && !isFinal ? { ...told, state: 'unknown', since } : told;
  });
  /** Oldest first. */
  readonly clips = signal<readonly ClipStats[]>([]);
  /** Each episode as its last event, in order of onset. */
  readonly episodes = signal<readonly ActionEvent[]>([]);
  readonly gaps = signal<readonly Gap[]>([]);
  /** When the stream left the state up; undefined while it is up. */
  readonly troubleSince = signal<string | undefined>(undefined);

  constructor(view: Stream) {
    this.id = view.stream_id;
    this.#told = signal(view);
    this.take(view);
  }

  /** The view of the API is newer. */
  take(view: Stream): void {
    this.#hear(view);
    this.#notice(view.state, view.since);
    for (const episode of view.open_episodes) this.#keepEpisode(episode);
    if (view.newest_clip && this.clips.value.length === 0) this.clips.value = [view.newest_clip];
  }

  onClip(clip: ClipStats): void {
    const newest = this.clips.value.at(-1);
    if (newest && newest.clip_seq >= clip.clip_seq && newest.segment === clip.segment) return;
    this.clips.value = [...this.clips.value.slice(1 - MOST_CLIPS), clip];
    this.#hear({ newest_clip: clip });
  }

  /** True where the episode is new to the page. */
  onEvent(event: ActionEvent): boolean {
    const isNew = this.#keepEpisode(event);
    const others = this.#told.value.open_episodes.filter(({ episode_id: id }) => id !== event.episode_id);
    this.#hear({ open_episodes: event.state === 'ended' ? others : [...others, event] });
    return isNew;
  }

  onStatus({ state, reason, detail, at, gap }: StreamStatus): void {
    if (gap)
      this.gaps.value = [...this.gaps.value, { stream_id: this.id, ...gap, reason }].slice(-MOST_EVENTS);
    if (state === 'gap') return;
    this.#hear({ state, reason, since: at, detail: detail ?? '' });
    this.#notice(state, at);
  }

  #hear(news: Partial<Stream>): void {
    this.#told.value = { ...this.#told.value, ...news };
    this.#heardAtMs.value = Date.now();
  }

  #keepEpisode(event: ActionEvent): boolean {
    const known = this.episodes.value.find(({ episode_id: id }) => id === event.episode_id);
    if (known && known.sequence >= event.sequence) return false;
    const others = this.episodes.value.filter(({ episode_id: id }) => id !== event.episode_id);
    this.episodes.value = [...others, event].slice(-MOST_EVENTS);
    return known === undefined;
  }

  /** Attempts to connect again do not make the trouble younger. */
  #notice(state: string | undefined, since: string | undefined): void {
    if (state === 'up' || state === 'ended') this.troubleSince.value = undefined;
    else this.troubleSince.value ??= since;
  }
}
