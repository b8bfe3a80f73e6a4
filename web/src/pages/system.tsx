import { CircleCheck, TriangleAlert } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import type { Stream } from '../../../src/client/index.ts';
import { loadMetrics, type Metrics } from '../api/metrics.ts';
import { answerOf, api } from '../api/session.ts';
import { useAnswer } from '../api/use-answer.ts';
import { usePolled } from '../live/poll.ts';
import { streams } from '../live/store.ts';
import { Failed, Loading } from '../parts/notices.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Settings } from '../parts/settings.tsx';
import { alarmsOf } from '../words/alarms.ts';
import { bytes, compact, counted, duration, percent } from '../words/format.ts';

const EVERY_MS = 3000;

/** The program itself: what is wrong and what to do, then its parts. */
export function SystemPage() {
  const { value: metrics, problem } = usePolled(loadMetrics, EVERY_MS);
  const views = streams.value?.map(({ view }) => view.value) ?? [];
  return (
    <>
      <PageHead title="System" about={metrics && <Versions metrics={metrics} />} />
      {problem && !metrics && <Failed problem={problem} what="The metrics cannot be read" />}
      {!metrics && !problem && <Loading lines={8} />}
      {metrics && (
        <>
          <Alarms metrics={metrics} views={views} />
          <div class="cards">
            <Sinks metrics={metrics} />
            <Journal metrics={metrics} />
            <Engines metrics={metrics} />
            <Budget metrics={metrics} />
            <Queues views={views} />
            <Audit metrics={metrics} />
            <Models />
            <Process metrics={metrics} />
          </div>
          <Settings />
        </>
      )}
    </>
  );
}

function Versions({ metrics }: { readonly metrics: Metrics }) {
  const { version, engine, device } = metrics.all('build_info')[0]?.labels ?? {};
  return (
    <>
      actionstream {version} · {engine} on {device}
    </>
  );
}

function Alarms({ metrics, views }: { readonly metrics: Metrics; readonly views: readonly Stream[] }) {
  const alarms = alarmsOf(metrics, views);
  if (alarms.length === 0)
    return (
      <p class="all-well">
        <CircleCheck aria-hidden="true" size={20} />
        All is well: every camera is watched, and records are delivered.
      </p>
    );
  return (
    <section class="card alarms" aria-labelledby="alarms-title">
      <h2 id="alarms-title">{counted(alarms.length, 'thing')} to look at</h2>
      <ul>
        {alarms.map(({ what, remedy, chapter }) => (
          <li key={what}>
            <TriangleAlert aria-hidden="true" size={18} />
            <div>
              <strong>{what}</strong>
              <p>
                {remedy}. <small class="soft">docs/operations.md, “{chapter}”</small>
              </p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      <div class="inside">{children}</div>
    </section>
  );
}

/** Rows of a card. A value that is not there is left out. */
function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
    </dl>
  );
}

function Sinks({ metrics }: { readonly metrics: Metrics }) {
  const records = new Map(
    metrics.all('sink_lag_records').map(({ labels, value }) => [labels['sink'], value]),
  );
  const rows = metrics.all('sink_lag_seconds').map(({ labels, value }): [string, string] => {
    const waiting = records.get(labels['sink']) ?? 0;
    return [
      labels['sink'] ?? '',
      waiting === 0 ? 'up to date' : `${counted(waiting, 'record')}, ${duration(value * 1000)} behind`,
    ];
  });
  return (
    <Part title="Sinks">
      {rows.length > 0 ? <Facts rows={rows} /> : <p class="soft">No sink is configured.</p>}
    </Part>
  );
}

function Journal({ metrics }: { readonly metrics: Metrics }) {
  return (
    <Part title="Journal">
      <Facts
        rows={[
          ['On disk', bytes(metrics.sum('journal_bytes') ?? 0)],
          ['Waits for room', counted(metrics.sum('journal_waiting_appends') ?? 0, 'append')],
          ['Had to wait', counted(metrics.sum('journal_stalls_total') ?? 0, 'time')],
          ['Statistics refused', compact(metrics.sum('journal_shed_records_total') ?? 0)],
        ]}
      />
    </Part>
  );
}

function Engines({ metrics }: { readonly metrics: Metrics }) {
  return (
    <Part title="Engines">
      <Facts
        rows={[
          ['Processes', compact(metrics.sum('engines') ?? 0)],
          ['Clips that wait', compact(metrics.sum('engine_queue_length') ?? 0)],
          ['Busy since the start', duration((metrics.sum('engine_busy_seconds_total') ?? 0) * 1000)],
          ['Lost and replaced', compact(metrics.sum('engine_restarts_total') ?? 0)],
          ['Clips tried again', compact(metrics.sum('engine_retries_total') ?? 0)],
        ]}
      />
    </Part>
  );
}

function Budget({ metrics }: { readonly metrics: Metrics }) {
  const seconds = (name: string): string | undefined => {
    const value = metrics.sum(name);
    return value === undefined ? undefined : `${Math.round(value * 1000)} ms`;
  };
  const share = (name: string): string | undefined => {
    const value = metrics.sum(name);
    return value === undefined ? undefined : percent(value);
  };
  const scale = metrics.sum('budget_delta_scale');
  return (
    <Part title="Compute budget">
      <Facts
        rows={[
          ['Scores after (p95)', seconds('budget_latency_p95_seconds')],
          ['may be', seconds('budget_latency_p95_target_seconds')],
          ['Engines in use', share('budget_utilisation_ratio')],
          ['Fullest queue', share('budget_backlog_ratio')],
          [
            'δ raised to',
            scale === undefined
              ? undefined
              : `${scale.toFixed(2)} × of ${metrics.sum('budget_delta_scale_limit') ?? 1} ×`,
          ],
        ]}
      />
    </Part>
  );
}

function Queues({ views }: { readonly views: readonly Stream[] }) {
  const sum = (counts: (view: Stream) => Readonly<Record<string, number>>): string =>
    compact(views.flatMap((view) => Object.values(counts(view))).reduce((total, count) => total + count, 0));
  const length = views.reduce((total, { queue }) => total + queue.length, 0);
  const capacity = views.reduce((total, { queue }) => total + queue.capacity, 0);
  return (
    <Part title="Queues and drops">
      <Facts
        rows={[
          ['Queues', `${length} of ${counted(capacity, 'clip')}`],
          ['Clips dropped', sum((view) => view.clips_dropped)],
          ['Frames dropped', sum((view) => view.frames_dropped)],
          ['Reconnects', sum((view) => view.reconnects)],
        ]}
      />
    </Part>
  );
}

function Audit({ metrics }: { readonly metrics: Metrics }) {
  const rows = metrics
    .all('stream_agreement')
    .map(({ labels, value }): [string, string] => [labels['stream_id'] ?? '', percent(value)]);
  return (
    <Part title="Agreement with the dense network">
      {rows.length > 0 ? (
        <Facts rows={rows} />
      ) : (
        <p class="soft">
          No stream is audited. <code>audit: {'{}'}</code> of a stream turns it on.
        </p>
      )}
    </Part>
  );
}

function Models() {
  const { value, problem } = useAnswer((signal) => answerOf(api.GET('/api/v1/models', { signal })), []);
  return (
    <Part title="Model">
      {problem && <p class="soft">{problem.message}</p>}
      {value?.models.map(({ id, version, digest, labels, clip }) => (
        <Facts
          key={digest}
          rows={[
            ['Name', `${id} ${version}`],
            ['Clip', `${clip.frames} frames at ${clip.fps}/s, every ${clip.stride}`],
            ['Labels', labels.length > 12 ? counted(labels.length, 'label') : labels.join(', ')],
            [
              'Weights',
              <code key="digest" title={digest}>
                {digest.slice(0, 19)}…
              </code>,
            ],
          ]}
        />
      ))}
    </Part>
  );
}

function Process({ metrics }: { readonly metrics: Metrics }) {
  const started = metrics.ofProcess('process_start_time_seconds');
  const lag = metrics.ofProcess('nodejs_eventloop_lag_p99_seconds');
  return (
    <Part title="Process">
      <Facts
        rows={[
          ['Runs for', started === undefined ? undefined : duration(Date.now() - started * 1000)],
          ['Memory', bytes(metrics.ofProcess('process_resident_memory_bytes') ?? 0)],
          ['Descriptors', compact(metrics.ofProcess('process_open_fds') ?? 0)],
          ['Event loop (p99)', lag === undefined ? undefined : `${Math.round(lag * 1000)} ms late`],
        ]}
      />
    </Part>
  );
}
