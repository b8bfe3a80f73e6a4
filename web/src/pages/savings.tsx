import { Link, useSearchParams } from 'wouter-preact';
import type { HourOfCompute } from '../../../src/client/index.ts';
import { answerOf, api } from '../api/session.ts';
import { useAnswer } from '../api/use-answer.ts';
import { streams } from '../live/store.ts';
import { Empty, Failed, Loading } from '../parts/notices.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { compact, counted, day, percent } from '../words/format.ts';

const SPANS = [1, 7, 30] as const;
const DAY_MS = 86_400_000;
const MOST_HOURS = 1000;

interface Sums {
  readonly used: number;
  readonly dense: number;
  readonly clips: number;
}

/** What sampling and reuse saved, by camera and day. Days are UTC, as hours are counted. */
export function SavingsPage() {
  const [query, setQuery] = useSearchParams();
  const days = SPANS.find((span) => String(span) === query.get('days')) ?? 7;
  const ids = streams.value?.map(({ id }) => id);
  const hours = useAnswer((signal) => loadHours(ids ?? [], days, signal), [days, ids?.join('\0')]);
  return (
    <>
      <PageHead title="Savings" about="Multiply-adds that adaptive sampling and reuse did not spend">
        <div class="tabs" role="group" aria-label="Days">
          {SPANS.map((span) => (
            <button
              key={span}
              type="button"
              aria-pressed={span === days}
              onClick={() => {
                setQuery({ days: String(span) });
              }}
            >
              {span === 1 ? 'Today' : `${span} days`}
            </button>
          ))}
        </div>
      </PageHead>
      {hours.problem && !hours.value && <Failed problem={hours.problem} what="Savings cannot be read" />}
      {!hours.value && !hours.problem && <Loading lines={8} />}
      {hours.value && ids && <Report hours={hours.value} />}
    </>
  );
}

/** One request a stream, so that none is cut short: 1000 hours are 41 days. @throws ApiProblem */
async function loadHours(
  ids: readonly string[],
  days: number,
  signal: AbortSignal,
): Promise<readonly HourOfCompute[]> {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const from = new Date(today - (days - 1) * DAY_MS).toISOString();
  const answers = await Promise.all(
    ids.map((id) =>
      answerOf(
        api.GET('/api/v1/compute', { params: { query: { stream: [id], from, limit: MOST_HOURS } }, signal }),
      ),
    ),
  );
  return answers.flatMap((answer) => answer.hours);
}

function Report({ hours }: { readonly hours: readonly HourOfCompute[] }) {
  const days = [...new Set(hours.map(dayOf))].sort();
  const ids = [...new Set(hours.map(({ stream_id: id }) => id))].sort();
  const total = sumOf(hours);
  if (total.dense === 0)
    return (
      <Empty title="Nothing was computed in this time">
        Recordings without a start time are not of these days.
      </Empty>
    );
  return (
    <>
      <section class="card total" aria-label="All cameras">
        <p class="big">
          <b class="saved">{percent(1 - total.used / total.dense)}</b> saved
        </p>
        <p>
          {counted(total.clips, 'clip')} took <b>{compact(total.used)}</b> multiply-adds. Without sampling and
          reuse they would have taken {compact(total.dense)}: {factorOf(total)} times as many.
        </p>
      </section>
      <section class="card" aria-labelledby="by-camera">
        <h2 id="by-camera">By camera and day</h2>
        <div class="scrolls" tabIndex={0} role="region" aria-label="Table of cameras and days">
          <table class="savings">
            <thead>
              <tr>
                <th>Camera</th>
                {days.map((date) => (
                  <th key={date} class="number">
                    {day(date)}
                  </th>
                ))}
                <th class="number">Spent</th>
                <th class="number">Dense</th>
                <th class="share-head">Saved</th>
              </tr>
            </thead>
            <tbody>
              {ids.map((id) => (
                <Row key={id} id={id} hours={hours.filter(({ stream_id: one }) => one === id)} days={days} />
              ))}
            </tbody>
          </table>
        </div>
      </section>
    </>
  );
}

function Row({
  id,
  hours,
  days,
}: {
  readonly id: string;
  readonly hours: readonly HourOfCompute[];
  readonly days: readonly string[];
}) {
  const total = sumOf(hours);
  const saved = 1 - total.used / total.dense;
  return (
    <tr>
      <td>
        <Link href={`/streams/${encodeURIComponent(id)}`}>{id}</Link>
      </td>
      {days.map((date) => {
        const sum = sumOf(hours.filter((hour) => dayOf(hour) === date));
        return (
          <td key={date} class="number">
            {sum.dense === 0 ? '–' : percent(1 - sum.used / sum.dense)}
          </td>
        );
      })}
      <td class="number">{compact(total.used)}</td>
      <td class="number">{compact(total.dense)}</td>
      <td>
        <div class="saved-bar">
          <span>
            <i style={{ width: `${100 * saved}%` }} />
          </span>
          <b>{percent(saved)}</b>
        </div>
      </td>
    </tr>
  );
}

function sumOf(hours: readonly HourOfCompute[]): Sums {
  return hours.reduce(
    (sum, hour) => ({
      used: sum.used + hour.multiply_adds,
      dense: sum.dense + hour.dense_multiply_adds,
      clips: sum.clips + hour.clips,
    }),
    { used: 0, dense: 0, clips: 0 },
  );
}

function factorOf({ used, dense }: Sums): string {
  return used > 0 ? (dense / used).toFixed(1) : 'many';
}

function dayOf({ hour }: HourOfCompute): string {
  return hour.slice(0, 10);
}
