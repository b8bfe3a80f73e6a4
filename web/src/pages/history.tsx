import { useState } from 'preact/hooks';
import { Link, useLocation, useSearchParams } from 'wouter-preact';
import type { ActionEvent, ApiProblem } from '../../../src/client/index.ts';
import { loadEvents, type EventQuery } from '../api/events.ts';
import { useAnswer } from '../api/use-answer.ts';
import { ExportButtons } from '../parts/export-buttons.tsx';
import { Filters } from '../parts/filters.tsx';
import { Empty, Failed, Loading } from '../parts/notices.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { duration, moment, percent } from '../words/format.ts';
import { hueOf } from '../words/hue.ts';

const PAGE = 50;

/** What the address says is what is searched for, so that a search can be sent to somebody. */
export function HistoryPage() {
  const [parameters] = useSearchParams();
  const query = queryOf(parameters);
  return (
    <>
      <PageHead title="History" about="Episodes, newest first">
        <ExportButtons query={query} />
      </PageHead>
      <Filters key={parameters.toString()} parameters={parameters} />
      <Results key={JSON.stringify(query)} query={query} />
    </>
  );
}

/** What the address holds. What is no number or no time is left out. */
function queryOf(parameters: URLSearchParams): EventQuery {
  const time = (name: string): string | undefined => {
    const ms = Date.parse(parameters.get(name) ?? '');
    return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
  };
  const number = (name: string, scale: number): number | undefined => {
    const text = parameters.get(name) ?? '';
    return text === '' || Number.isNaN(Number(text)) ? undefined : Number(text) * scale;
  };
  const [stream, label] = [parameters.getAll('stream'), parameters.getAll('label')];
  const [site, tag] = [parameters.getAll('site'), parameters.getAll('tag')];
  const [from, to] = [time('from'), time('to')];
  const [score, seconds] = [number('score', 0.01), number('seconds', 1000)];
  return {
    ...(stream.length > 0 && { stream }),
    ...(label.length > 0 && { label }),
    ...(site.length > 0 && { site }),
    ...(tag.length > 0 && { tag }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(score !== undefined && { min_score: score }),
    ...(seconds !== undefined && { min_duration_ms: seconds }),
  };
}

function Results({ query }: { readonly query: EventQuery }) {
  const first = useAnswer((signal) => loadEvents({ ...query, limit: PAGE }, signal), []);
  const [more, setMore] = useState<readonly ActionEvent[]>([]);
  const [cursor, setCursor] = useState<string>();
  const [isOver, setOver] = useState(false);
  const [problem, setProblem] = useState<ApiProblem>();
  if (first.problem && !first.value) return <Failed problem={first.problem} what="History cannot be read" />;
  if (!first.value) return <Loading lines={9} />;
  const next = isOver ? undefined : (cursor ?? first.value.next);
  const rows = [...first.value.events, ...more];
  if (rows.length === 0)
    return (
      <Empty title="No episode fits">
        <Link href="/events">Show all</Link>, or widen the filters.
      </Empty>
    );
  const loadMore = async (after: string): Promise<void> => {
    try {
      const page = await loadEvents({ ...query, limit: PAGE, cursor: after }, AbortSignal.timeout(30_000));
      setMore([...more, ...page.events]);
      setCursor(page.next);
      setOver(page.next === undefined);
    } catch (error) {
      setProblem(error as ApiProblem);
    }
  };
  return (
    <div class="card results">
      <EventTable events={rows} />
      <div class="foot">
        <span class="soft" role="status">
          {problem
            ? problem.message
            : `${rows.length} shown${next === undefined ? ', all that there are' : ''}`}
        </span>
        {next !== undefined && (
          <button type="button" onClick={() => void loadMore(next)}>
            Show older ones
          </button>
        )}
      </div>
    </div>
  );
}

function EventTable({ events }: { readonly events: readonly ActionEvent[] }) {
  const [, navigate] = useLocation();
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label="Episodes">
      <table class="events">
        <thead>
          <tr>
            <th>Action</th>
            <th>Stream</th>
            <th>Began</th>
            <th class="number">Lasted</th>
            <th class="number">Peak</th>
            <th class="number">Saved</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr
              key={event.episode_id}
              onClick={() => {
                navigate(`/events/${event.episode_id}`);
              }}
            >
              <td>
                <Link href={`/events/${event.episode_id}`} className={`action ${hueOf(event.label)}`}>
                  {event.label}
                </Link>
              </td>
              <td data-name="Stream">{event.stream_id}</td>
              <td data-name="Began">{moment(event.started_at)}</td>
              <td data-name="Lasted" class="number">
                {event.ended_at === undefined ? 'goes on' : duration(event.duration_ms ?? 0)}
              </td>
              <td data-name="Peak" class="number">
                {percent(event.score.peak)}
              </td>
              <td data-name="Saved" class="number saved">
                {percent(event.compute.saved_ratio)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
