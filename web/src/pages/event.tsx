import { Check, Copy } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { ActionEvent } from '../../../src/client/index.ts';
import { answerOf, api } from '../api/session.ts';
import { useAnswer } from '../api/use-answer.ts';
import { streams } from '../live/store.ts';
import { loadClips, millis } from '../live/timeline.ts';
import { EventFeedback } from '../parts/event-feedback.tsx';
import { EventMedia, type Media } from '../parts/event-media.tsx';
import { Failed, Loading } from '../parts/notices.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Receipt } from '../parts/receipt.tsx';
import { ScoreChart } from '../parts/score-chart.tsx';
import { duration, moment, percent } from '../words/format.ts';
import { hueOf } from '../words/hue.ts';
import { endInWords } from '../words/states.ts';

/** One episode: what was seen, how sure, and what it cost. */
export function EventPage({ id }: { readonly id: string }) {
  // An episode that goes on changes while it is looked at.
  const live = streams.value
    ?.flatMap(({ episodes }) => episodes.value)
    .find(({ episode_id: one }) => one === id);
  const [turn, setTurn] = useState(0);
  const asked = useAnswer(
    (signal) =>
      answerOf(api.GET('/api/v1/events/{episode_id}', { params: { path: { episode_id: id } }, signal })),
    [id, turn],
  );
  const event = newer(asked.value, live);
  const media = asked.value?.media;
  // Its clip is made some seconds after its end.
  const isPending = media?.state === 'pending';
  useEffect(() => {
    if (!isPending) return;
    const timer = setTimeout(() => {
      setTurn(turn + 1);
    }, ASK_AGAIN_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [isPending, turn, asked.isLoading]);
  if (!event)
    return (
      <>
        <PageHead title="Event" />
        {asked.problem ? (
          <Failed problem={asked.problem} what="This episode cannot be shown" />
        ) : (
          <Loading lines={8} />
        )}
      </>
    );
  return (
    <Shown event={event} media={media}>
      {asked.value && <EventFeedback id={id} label={event.label} given={asked.value.feedback ?? []} />}
    </Shown>
  );
}

const ASK_AGAIN_MS = 2000;

function newer(one: ActionEvent | undefined, other: ActionEvent | undefined): ActionEvent | undefined {
  return one && other ? (one.sequence >= other.sequence ? one : other) : (one ?? other);
}

function Shown({
  event,
  media,
  children,
}: {
  readonly event: ActionEvent;
  readonly media: Media | undefined;
  readonly children: ComponentChildren;
}) {
  const { label, stream_id: stream } = event;
  return (
    <>
      <PageHead
        title={`${label} on ${stream}`}
        about={
          <>
            {moment(event.started_at)}
            {event.ended_at === undefined ? ' · goes on' : ` · ${duration(event.duration_ms ?? 0)}`}
          </>
        }
      >
        <Link className="button" href={atThatTime(event)}>
          The stream at that time
        </Link>
      </PageHead>
      <div class="event-grid">
        {media?.state !== undefined && <EventMedia media={media} title={`${label} on ${stream}`} />}
        {children}
        <ScoresCard event={event} />
        <section class="card" aria-labelledby="what-title">
          <h2 id="what-title">Episode</h2>
          <div class="inside">
            <EpisodeFacts event={event} />
          </div>
        </section>
        <section class="card" aria-labelledby="receipt-title">
          <h2 id="receipt-title">Compute receipt</h2>
          <div class="inside">
            <Receipt event={event} />
          </div>
        </section>
        <RecordCard event={event} />
      </div>
    </>
  );
}

function atThatTime({ stream_id: stream, started_at: start, ended_at: end = start }: ActionEvent): string {
  const to = new Date(millis(end) + 15_000).toISOString();
  return `/streams/${encodeURIComponent(stream)}?${new URLSearchParams({ span: '60', to }).toString()}`;
}

const AROUND_MS = 10_000;

function ScoresCard({ event }: { readonly event: ActionEvent }) {
  const from = millis(event.started_at) - AROUND_MS;
  const to = (event.ended_at === undefined ? Date.now() : millis(event.ended_at)) + AROUND_MS;
  const clips = useAnswer(
    (signal) =>
      loadClips(
        event.stream_id,
        { from: new Date(Math.max(0, from)).toISOString(), to: new Date(to).toISOString() },
        signal,
      ),
    [event.episode_id, event.sequence],
  );
  return (
    <section class="card wide" aria-labelledby="scores-title">
      <h2 id="scores-title">Scores over time</h2>
      <div class="inside">
        {clips.value ? (
          <ScoreChart event={event} clips={clips.value} from={from} to={to} />
        ) : clips.problem ? (
          <Failed problem={clips.problem} what="The clips cannot be read" />
        ) : (
          <Loading lines={5} />
        )}
      </div>
    </section>
  );
}

function EpisodeFacts({ event }: { readonly event: ActionEvent }) {
  const { label, score, time, model, pipeline } = event;
  return (
    <dl class="facts">
      <dt>Action</dt>
      <dd>
        <span class={`action ${hueOf(label)}`}>{label}</span>
      </dd>
      <dt>Score, peak</dt>
      <dd>{percent(score.peak)}</dd>
      <dt>mean · last</dt>
      <dd>
        {percent(score.mean)} · {percent(score.last)}
      </dd>
      <dt>Began</dt>
      <dd>{moment(event.started_at)}</dd>
      <dt>Ended</dt>
      <dd>{event.ended_at === undefined ? 'goes on' : moment(event.ended_at)}</dd>
      {event.end_reason !== undefined && (
        <>
          <dt>because</dt>
          <dd>{endInWords(event.end_reason)}</dd>
        </>
      )}
      <dt>Known to</dt>
      <dd>
        ± {duration(time.uncertainty_ms)}, on a grid of {duration(event.resolution_ms)}
      </dd>
      <dt>Model</dt>
      <dd>
        {model.id} {model.version}
      </dd>
      <dt>Weights</dt>
      <dd>
        <code title={model.digest}>{model.digest.slice(0, 19)}…</code>
      </dd>
      <dt>Program</dt>
      <dd>
        {pipeline.instance}, {pipeline.version}
      </dd>
    </dl>
  );
}

function RecordCard({ event }: { readonly event: ActionEvent }) {
  const [isCopied, setCopied] = useState(false);
  const json = JSON.stringify(event, undefined, 2);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(json);
    setCopied(true);
  };
  return (
    <section class="card wide" aria-labelledby="record-title">
      <div class="card-head">
        <h2 id="record-title">The record, as in Kafka</h2>
        <button type="button" onClick={() => void copy()}>
          {isCopied ? <Check aria-hidden="true" size={16} /> : <Copy aria-hidden="true" size={16} />}
          {isCopied ? 'Copied' : 'Copy JSON'}
        </button>
      </div>
      <div class="inside">
        <pre class="json" tabIndex={0} role="region" aria-label="JSON of the record">
          {json}
        </pre>
      </div>
    </section>
  );
}
