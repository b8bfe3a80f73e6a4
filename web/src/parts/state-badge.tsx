import type { Stream } from '../../../src/client/index.ts';
import { stateOf } from '../words/states.ts';

export function StateBadge({ view }: { readonly view: Stream }) {
  const { word, mood } = stateOf(view);
  return (
    <span class={`badge ${mood}`}>
      <i aria-hidden="true" />
      {word}
    </span>
  );
}
