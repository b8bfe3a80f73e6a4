import { newestAction } from '../live/store.ts';

/** Read out by screen readers as an action begins; the pages show it by themselves. */
export function NewestAction() {
  const action = newestAction.value;
  return (
    <div class="heard" aria-live="polite">
      {action && `${action.label} began on ${action.stream_id}`}
    </div>
  );
}
