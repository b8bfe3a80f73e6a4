import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import type { ActionEvent, Gap } from '../../../src/client/index.ts';
import { millis, type Timeline } from '../live/timeline.ts';
import { clock, duration, percent } from '../words/format.ts';
import { hueOf } from '../words/hue.ts';
import { gapInWords, isDrop } from '../words/states.ts';

/** Episodes by label, and what was not watched, above the strip of clips and on the same axis of time. */
export function Lanes({ timeline }: { readonly timeline: Timeline }) {
  const { episodes, gaps } = timeline;
  const labels = [...new Set(episodes.map(({ label }) => label))].sort();
  return (
    <div class="lanes">
      {labels.map((label) => (
        <Lane key={label} name={label}>
          {episodes
            .filter((episode) => episode.label === label)
            .map((episode) => (
              <Episode key={episode.episode_id} episode={episode} timeline={timeline} />
            ))}
        </Lane>
      ))}
      {labels.length === 0 && (
        <Lane name="actions">
          <li class="nothing">no action in this time</li>
        </Lane>
      )}
      <Lane name="gaps">
        {gaps
          .filter(({ reason }) => !isDrop(reason))
          .map((gap) => (
            <Hole key={gap.from} gap={gap} timeline={timeline} />
          ))}
      </Lane>
      <Lane name="drops">
        {gaps
          .filter(({ reason }) => isDrop(reason))
          .map((gap) => (
            <Hole key={gap.from} gap={gap} timeline={timeline} />
          ))}
      </Lane>
    </div>
  );
}

function Lane({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="lane">
      <span title={name}>{name}</span>
      <ul aria-label={name}>{children}</ul>
    </div>
  );
}

interface Placed {
  readonly timeline: Timeline;
}

function Episode({ episode, timeline }: Placed & { readonly episode: ActionEvent }) {
  const { episode_id: id, label, started_at: start, ended_at: end, score } = episode;
  const until = end === undefined ? 'goes on' : `to ${clock(end)}`;
  const words = `${label}, ${clock(start)} ${until}, peak ${percent(score.peak)}`;
  return (
    <li style={placeOf(millis(start), end === undefined ? timeline.to : millis(end), timeline)}>
      <Link
        href={`/events/${id}`}
        className={`episode ${hueOf(label)}${end === undefined ? ' open' : ''}`}
        title={words}
        aria-label={words}
      >
        {percent(score.peak)}
      </Link>
    </li>
  );
}

function Hole({ gap: { from, to, reason }, timeline }: Placed & { readonly gap: Gap }) {
  const words = `${clock(from)} to ${clock(to)}, ${duration(millis(to) - millis(from))}: ${gapInWords(reason)}`;
  return (
    <li style={placeOf(millis(from), millis(to), timeline)}>
      <span class={isDrop(reason) ? 'hole drop' : 'hole'} title={words} role="img" aria-label={words} />
    </li>
  );
}

function placeOf(
  start: number,
  end: number,
  { from, to }: Timeline,
): { readonly left: string; readonly width: string } {
  const share = (time: number): number => (100 * (Math.min(Math.max(time, from), to) - from)) / (to - from);
  const left = share(start);
  return { left: `${left}%`, width: `max(4px, ${share(end) - left}%)` };
}
