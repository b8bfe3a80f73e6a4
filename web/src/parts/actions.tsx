import { Link } from 'wouter-preact';
import type { ActionEvent } from '../../../src/client/index.ts';
import { percent } from '../words/format.ts';
import { hueOf } from '../words/hue.ts';

/** What goes on now: each a link to its episode. */
export function Actions({ episodes }: { readonly episodes: readonly ActionEvent[] }) {
  return (
    <ul class="actions" aria-label="Actions now">
      {episodes.map(({ episode_id: id, label, score }) => (
        <li key={id}>
          <Link href={`/events/${id}`} className={`action ${hueOf(label)}`}>
            {label} <small>{percent(score.last)}</small>
          </Link>
        </li>
      ))}
    </ul>
  );
}
