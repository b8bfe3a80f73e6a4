import { abortLater, StreamStopped, type StopReason } from '../core/abort.ts';
import { toActionstreamError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { runStream } from './run-stream.ts';
import { addOutcome, logOutcome } from './stream-outcomes.ts';
import type { StreamJob, StreamOutcome } from './types.ts';

/** After a request to stop, a stream has so long to end its source, its clip and its episodes. */
const STOP_MS = 5000;

/** What the set needs to know of a stream; whatever else differs is a change. */
export interface StreamWish {
  readonly streamId: string;
  /** Declared, but not watched. */
  readonly paused: boolean;
}

export type StreamState = 'starting' | 'running' | 'stopping' | 'paused' | 'ended' | 'failed';

/** A stream of the set at this moment. */
export interface SetStream<Wish extends StreamWish> {
  readonly wish: Wish;
  readonly state: StreamState;
  /** Of the newest life; absent where it has not begun. */
  readonly job?: StreamJob;
}

export interface StreamSetOptions<Wish extends StreamWish> {
  /** @param after why the life before ended, where this run had one */
  readonly build: (wish: Wish, after: StopReason | undefined) => Promise<StreamJob>;
  /** Ends the whole set. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** The set goes on when all its streams have ended by themselves. */
  readonly keepsServing?: boolean;
  readonly onAdded?: (streamId: string) => void;
  /** The stream has ended and is no part of the set any more. */
  readonly onRemoved?: (streamId: string) => void;
}

interface Entry<Wish extends StreamWish> {
  /** Undefined: it shall go. */
  wanted: Wish | undefined;
  /** Why it shall go. */
  goes?: 'removed' | 'moved';
  /** Brought about, or being brought about; undefined before the first. */
  current?: Wish | undefined;
  state: StreamState;
  job?: StreamJob;
  life?: { readonly stop: AbortController; readonly ended: Promise<void> };
  /** Why the last life ended. */
  after?: StopReason;
  pursuing?: Promise<void>;
}

/**
 * The streams of a run. Each can be added, changed, paused and removed while the others go on: a stream
 * keeps its object, its queue and its sequence until its own wish changes.
 *
 * States of a stream:
 * - starting: its job is built; before `run` it waits there.
 * - running: its clips are scored.
 * - stopping: its signal has come. Its source ends, and its open episodes end and are journalled.
 * - paused: it is declared, and nothing of it runs.
 * - ended, failed: its life ended by itself. A change begins another one.
 *
 * A change states what is wanted. One pursuer a stream brings it about: stop, then build and start. A newer
 * wish that comes meanwhile replaces the older one, so no order of requests leaves two lives of a stream.
 *
 * The set ends when the signal comes, or when it holds streams and all of them have ended by themselves.
 */
export class StreamSet<Wish extends StreamWish> {
  readonly #options: StreamSetOptions<Wish>;
  readonly #entries = new Map<string, Entry<Wish>>();
  readonly #outcomes = new Map<string, StreamOutcome>();
  #begun = false;
  #end: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  constructor(options: StreamSetOptions<Wish>) {
    this.#options = options;
  }

  /** In the order in which they were added. */
  get streams(): readonly SetStream<Wish>[] {
    return [...this.#entries.values()].flatMap(({ wanted, current, state, job }) => {
      const wish = current ?? wanted;
      return wish ? [{ wish, state, ...(job && { job }) }] : [];
    });
  }

  /** Jobs that have counters: of streams that run, and of those that have run. */
  get jobs(): readonly StreamJob[] {
    return [...this.#entries.values()].flatMap(({ job }) => job ?? []);
  }

  /**
   * Adds a stream, or changes the one of its name. Resolves once it runs or is paused; until the set runs,
   * once its job is built.
   * @throws what building its job threw; a new stream is then no part of the set
   */
  put(wish: Wish): Promise<void> {
    const { streamId } = wish;
    const known = this.#entries.get(streamId);
    const entry = known ?? { wanted: wish, state: 'starting' };
    entry.wanted = wish;
    this.#entries.set(streamId, entry);
    if (!known) this.#options.onAdded?.(streamId);
    return this.#pursue(streamId, entry);
  }

  /**
   * Ends a stream and forgets it. Resolves once its last records are journalled.
   * @param why `moved`: another program watches it from now on
   */
  async remove(streamId: string, why: 'removed' | 'moved' = 'removed'): Promise<void> {
    const entry = this.#entries.get(streamId);
    if (!entry) return;
    entry.wanted = undefined;
    entry.goes = why;
    await this.#pursue(streamId, entry);
  }

  /**
   * Runs the streams until the set ends. One stream's failure leaves the others running. After the signal it
   * waits STOP_MS and leaves behind what has not ended by then: a source or an engine that hears no signal.
   * @returns what each stream has brought, removed ones too
   * @throws what kept a stream from journalling its end
   */
  async run(): Promise<readonly StreamOutcome[]> {
    const { signal, logger } = this.#options;
    const done = new Promise<void>((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    const late = abortLater(signal, STOP_MS);
    const onStop = (): void => {
      this.#endWhereDone();
    };
    signal.addEventListener('abort', onStop, { once: true });
    this.#begun = true;
    for (const [streamId, entry] of this.#entries)
      if (entry.state === 'starting' && entry.job && !entry.pursuing)
        this.#launch(streamId, entry, entry.job);
    this.#endWhereDone();
    try {
      await Promise.race([done, aborted(late.signal)]);
    } finally {
      signal.removeEventListener('abort', onStop);
      late.cancel();
    }
    const left = [...this.#entries].flatMap(([streamId, entry]) => (isAlive(entry) ? streamId : []));
    if (left.length > 0)
      logger.error(
        { stream_ids: left },
        'streams did not end in time; the next run ends their open episodes',
      );
    return this.#allOutcomes();
  }

  #pursue(streamId: string, entry: Entry<Wish>): Promise<void> {
    entry.pursuing ??= this.#bringAbout(streamId, entry).finally(() => {
      delete entry.pursuing;
      this.#endWhereDone();
    });
    return entry.pursuing;
  }

  async #bringAbout(streamId: string, entry: Entry<Wish>): Promise<void> {
    const { signal, onRemoved } = this.#options;
    while (entry.wanted !== entry.current || entry.wanted === undefined) {
      await this.#stop(entry, whyStop(entry));
      // The wish may be another one by now.
      entry.current = entry.wanted;
      if (!entry.current) {
        this.#forget(streamId);
        onRemoved?.(streamId);
        return;
      }
      if (entry.current.paused) {
        entry.state = 'paused';
        entry.after = 'paused';
      } else if (!signal.aborted) await this.#start(entry.current, entry);
    }
  }

  async #start(wish: Wish, entry: Entry<Wish>): Promise<void> {
    entry.state = 'starting';
    try {
      entry.job = await this.#options.build(wish, entry.after);
    } catch (error) {
      entry.state = 'failed';
      if (!entry.job) this.#entries.delete(wish.streamId);
      throw error;
    }
    if (this.#begun) this.#launch(wish.streamId, entry, entry.job);
  }

  #launch(streamId: string, entry: Entry<Wish>, job: StreamJob): void {
    const { signal, logger } = this.#options;
    const stop = new AbortController();
    entry.state = 'running';
    const ended = runStream(job, AbortSignal.any([signal, stop.signal])).then(
      (outcome) => {
        logOutcome(outcome, logger);
        this.#outcomes.set(streamId, addOutcome(this.#outcomes.get(streamId), outcome));
        entry.state = outcome.reason === 'failed' ? 'failed' : 'ended';
        this.#endWhereDone();
      },
      (error: unknown) => {
        entry.state = 'failed';
        this.#end?.reject(toActionstreamError(error));
      },
    );
    entry.life = { stop, ended };
  }

  /** Ends the life of a stream; without one, whatever was built for it is let go. */
  async #stop(entry: Entry<Wish>, why: StopReason): Promise<void> {
    const { life, job, state } = entry;
    if (!life) {
      if (state !== 'starting' || !job) return;
      job.engine.leave();
      job.budget?.leave();
      return;
    }
    if (state === 'running') {
      entry.state = 'stopping';
      life.stop.abort(new StreamStopped(why));
    }
    await life.ended;
    delete entry.life;
    entry.after = why;
  }

  /** What a removed stream brought still counts; that it once failed does not. */
  #forget(streamId: string): void {
    this.#entries.delete(streamId);
    const outcome = this.#outcomes.get(streamId);
    if (outcome) this.#outcomes.set(streamId, { streamId, reason: 'stopped', totals: outcome.totals });
  }

  /** In the order of the streams; then those of removed ones. */
  #allOutcomes(): readonly StreamOutcome[] {
    const ids = new Set([...this.#entries.keys(), ...this.#outcomes.keys()]);
    return [...ids].flatMap((streamId) => this.#outcomes.get(streamId) ?? []);
  }

  #endWhereDone(): void {
    const { signal, keepsServing } = this.#options;
    const entries = [...this.#entries.values()];
    const isDone = signal.aborted
      ? !entries.some(isAlive)
      : keepsServing !== true && entries.length > 0 && entries.every(hasEndedByItself);
    if (isDone) this.#end?.resolve();
  }
}

function whyStop({ wanted, goes = 'removed' }: Pick<Entry<StreamWish>, 'wanted' | 'goes'>): StopReason {
  if (!wanted) return goes;
  return wanted.paused ? 'paused' : 'changed';
}

function isAlive({ state }: { readonly state: StreamState }): boolean {
  return state === 'running' || state === 'stopping';
}

function hasEndedByItself({ state, pursuing }: Pick<Entry<StreamWish>, 'state' | 'pursuing'>): boolean {
  return !pursuing && (state === 'ended' || state === 'failed');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
