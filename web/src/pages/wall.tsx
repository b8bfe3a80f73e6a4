import { Link, useSearchParams } from 'wouter-preact';
import { connection } from '../live/connection.ts';
import type { LiveStream } from '../live/live-stream.ts';
import { streams } from '../live/store.ts';
import { Actions } from '../parts/actions.tsx';
import { AddStream } from '../parts/add-stream.tsx';
import { Frame } from '../parts/frame.tsx';
import { Empty, Loading } from '../parts/notices.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { Sparkline, StepMeter } from '../parts/steps.tsx';
import { counted, percent } from '../words/format.ts';
import { reasonOf, stateOf } from '../words/states.ts';

type Filter = 'all' | 'action' | 'trouble';

/** All streams at a glance. */
export function WallPage() {
  const all = streams.value;
  const [query, setQuery] = useSearchParams();
  if (!all) return <Waiting />;
  const filter = (query.get('show') ?? 'all') as Filter;
  const shown = all.filter((stream) => matches(stream, filter));
  const count = (one: Filter): number => all.filter((stream) => matches(stream, one)).length;
  const tab = (one: Filter, name: string) => (
    <button
      type="button"
      aria-pressed={filter === one}
      onClick={() => {
        setQuery(one === 'all' ? {} : { show: one });
      }}
    >
      {name} <b>{count(one)}</b>
    </button>
  );
  return (
    <>
      <PageHead title="Wall" about={<Summary all={all} />}>
        <div class="steer">
          <div class="tabs" role="group" aria-label="Streams to show">
            {tab('all', 'All')}
            {tab('action', 'In action')}
            {tab('trouble', 'In trouble')}
          </div>
          <AddStream />
        </div>
      </PageHead>
      {all.length === 0 && (
        <Empty title="No stream is configured">
          Add a camera here, or name one under streams in the configuration of the program.
        </Empty>
      )}
      {all.length > 0 && shown.length === 0 && (
        <Empty title={filter === 'trouble' ? 'Every stream is well' : 'Nothing goes on now'} />
      )}
      <ul class="wall">
        {shown.map((stream) => (
          <Tile key={stream.id} stream={stream} />
        ))}
      </ul>
    </>
  );
}

function Waiting() {
  const isWaiting = connection.value === 'connecting' || connection.value === 'starting';
  return (
    <>
      <PageHead title="Wall" />
      {isWaiting ? <Loading lines={6} /> : <Empty title="No picture of the program yet" />}
    </>
  );
}

function matches({ view }: LiveStream, filter: Filter): boolean {
  if (filter === 'action') return view.value.open_episodes.length > 0;
  return filter === 'all' || stateOf(view.value).mood === 'bad';
}

function Summary({ all }: { readonly all: readonly LiveStream[] }) {
  const up = all.filter(({ view }) => view.value.state === 'up').length;
  const sums = all.reduce(
    (sum, { view }) => ({
      used: sum.used + view.value.multiply_adds.used,
      dense: sum.dense + view.value.multiply_adds.dense,
    }),
    { used: 0, dense: 0 },
  );
  return (
    <>
      {up} of {counted(all.length, 'stream')} up
      {sums.dense > 0 && (
        <>
          {' '}
          · <b class="saved">{percent(1 - sums.used / sums.dense)}</b> of the multiply-adds saved since the
          start
        </>
      )}
    </>
  );
}

function Tile({ stream }: { readonly stream: LiveStream }) {
  const view = stream.view.value;
  const clip = view.newest_clip;
  const { used, dense } = view.multiply_adds;
  const isActing = view.open_episodes.length > 0;
  return (
    <li class={`tile${isActing ? ' acting' : ''}`} data-stream={stream.id} data-state={view.state}>
      <Frame stream={stream} />
      <div class="over">
        <StateBadge view={view} />
        {isActing && <Actions episodes={view.open_episodes} />}
      </div>
      <div class="about">
        <h2>
          <Link href={`/streams/${encodeURIComponent(stream.id)}`}>{view.name ?? stream.id}</Link>
        </h2>
        {dense > 0 && <span class="saved">{percent(1 - used / dense)} saved</span>}
      </div>
      {stateOf(view).mood === 'bad' ? (
        <p class="remedy">{reasonOf(view).remedy}</p>
      ) : (
        clip && (
          <div class="compute">
            <Sparkline clips={stream.clips.value} />
            <div class="figures">
              <StepMeter clip={clip} />
              <span>
                {clip.compute.kept_steps} of {clip.compute.input_steps} steps kept
              </span>
            </div>
          </div>
        )
      )}
    </li>
  );
}
