import { ChevronLeft, ChevronRight } from 'lucide-preact';
import { Link, useSearchParams } from 'wouter-preact';
import type { LiveStream } from '../live/live-stream.ts';
import { now } from '../live/now.ts';
import { streams } from '../live/store.ts';
import { useTimeline } from '../live/timeline.ts';
import { Actions } from '../parts/actions.tsx';
import { ComputeStrip } from '../parts/compute-strip.tsx';
import { Frame } from '../parts/frame.tsx';
import { Lanes } from '../parts/lanes.tsx';
import { Empty, Loading } from '../parts/notices.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { StreamFacts } from '../parts/stream-facts.tsx';
import { StreamSteer } from '../parts/stream-steer.tsx';
import { ago, clock, moment } from '../words/format.ts';
import { reasonOf, stateOf } from '../words/states.ts';

/** One stream: its picture, what it did, and what that cost. */
export function StreamPage({ id }: { readonly id: string }) {
  const all = streams.value;
  const stream = all?.find((one) => one.id === id);
  if (!all)
    return (
      <>
        <PageHead title={id} />
        <Loading lines={8} />
      </>
    );
  if (!stream)
    return (
      <>
        <PageHead title={id} />
        <Empty title={`No stream is named ${id}`}>
          <Link href="/">See those that there are</Link>, or{' '}
          <Link href={`/events?stream=${encodeURIComponent(id)}`}>its history</Link>.
        </Empty>
      </>
    );
  return <Known stream={stream} />;
}

function Known({ stream }: { readonly stream: LiveStream }) {
  const view = stream.view.value;
  const isBad = stateOf(view).mood === 'bad';
  const since = stream.troubleSince.value ?? view.since;
  const { what, remedy } = reasonOf(view);
  return (
    <>
      <PageHead title={view.name ?? stream.id} about={<code class="source">{view.source}</code>}>
        <div class="steer">
          <Link className="button" href={`/events?stream=${encodeURIComponent(stream.id)}`}>
            Its history
          </Link>
          <StreamSteer stream={stream} />
        </div>
      </PageHead>
      <div class="stream-top">
        <section class="card picture" aria-label="Live picture">
          <Frame stream={stream} />
          <div class="caption">
            <StateBadge view={view} />
            {view.newest_clip && <span class="soft">frame of {moment(view.newest_clip.clip_end)}</span>}
          </div>
        </section>
        <section class="card" aria-labelledby="now-title">
          <h2 id="now-title">Now</h2>
          <div class="inside">
            {isBad && (
              <div class="why">
                <strong>{what}</strong>
                {since !== undefined && ` since ${moment(since)} (${ago(since, now.value)})`}. {remedy}.
                {view.detail !== undefined && view.detail !== '' && <code>{view.detail}</code>}
              </div>
            )}
            {view.open_episodes.length > 0 ? (
              <Actions episodes={view.open_episodes} />
            ) : (
              <p class="soft">No action goes on.</p>
            )}
            <StreamFacts view={view} />
          </div>
        </section>
      </div>
      <TimelineCard stream={stream} />
    </>
  );
}

const SPANS: readonly (readonly [seconds: number, name: string])[] = [
  [60, '1 min'],
  [300, '5 min'],
  [1800, '30 min'],
];

function TimelineCard({ stream }: { readonly stream: LiveStream }) {
  const [query, setQuery] = useSearchParams();
  const seconds = Number(query.get('span') ?? SPANS[0]?.[0]);
  const given = Date.parse(query.get('to') ?? '');
  const until = Number.isNaN(given) ? undefined : given;
  const { kind } = stream.view.value;
  const timeline = useTimeline(stream, seconds * 1000, until);
  const show = (span: number, end: number | undefined): void => {
    setQuery({ span: String(span), ...(end !== undefined && { to: new Date(end).toISOString() }) });
  };
  return (
    <section class="card timeline" aria-labelledby="timeline-title">
      <div class="card-head">
        <h2 id="timeline-title">
          Actions and compute{' '}
          <small class="soft">
            {clock(timeline.from)} – {until === undefined && kind === 'live' ? 'now' : clock(timeline.to)}
          </small>
        </h2>
        <div class="steer">
          <div class="tabs" role="group" aria-label="Length of time">
            {SPANS.map(([length, name]) => (
              <button
                key={length}
                type="button"
                aria-pressed={length === seconds}
                onClick={() => {
                  show(length, until);
                }}
              >
                {name}
              </button>
            ))}
          </div>
          <button
            type="button"
            aria-label="Earlier"
            onClick={() => {
              show(seconds, timeline.to - seconds * 500);
            }}
          >
            <ChevronLeft aria-hidden="true" size={18} />
          </button>
          <button
            type="button"
            aria-label="Later"
            disabled={until === undefined}
            onClick={() => {
              show(seconds, timeline.to + seconds * 500);
            }}
          >
            <ChevronRight aria-hidden="true" size={18} />
          </button>
          <button
            type="button"
            disabled={until === undefined}
            onClick={() => {
              show(seconds, undefined);
            }}
          >
            Now
          </button>
        </div>
      </div>
      <div class="inside">
        <Lanes timeline={timeline} />
        <ComputeStrip clips={timeline.clips} from={timeline.from} to={timeline.to} />
        {timeline.problem && (
          <p class="soft">Only what arrived since this page was opened: {timeline.problem.message}.</p>
        )}
        <ClipTable timeline={timeline} />
      </div>
    </section>
  );
}

const MOST_ROWS = 200;

/** The strip as figures, newest first. */
function ClipTable({ timeline: { clips } }: { readonly timeline: ReturnType<typeof useTimeline> }) {
  return (
    <details>
      <summary>The clips as a table</summary>
      <div class="scrolls" tabIndex={0} role="region" aria-label="Clips">
        <table>
          <thead>
            <tr>
              <th>Clip</th>
              <th>Ends</th>
              <th class="number">Kept</th>
              <th class="number">of</th>
              <th>Highest score</th>
            </tr>
          </thead>
          <tbody>
            {clips
              .slice(-MOST_ROWS)
              .reverse()
              .map(({ clip_id: id, clip_seq: number, clip_end: end, compute, scores }) => (
                <tr key={id}>
                  <td>{number}</td>
                  <td>{clock(end)}</td>
                  <td class="number">{compute.kept_steps}</td>
                  <td class="number">{compute.input_steps}</td>
                  <td>{scores[0] && `${scores[0].label} ${scores[0].score.toFixed(2)}`}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
