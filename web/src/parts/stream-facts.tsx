import { Fragment } from 'preact';
import type { Stream } from '../../../src/client/index.ts';
import { compact, counted, duration, percent } from '../words/format.ts';
import { StepMeter } from './steps.tsx';

/** Figures of a stream since the program started. */
export function StreamFacts({ view }: { readonly view: Stream }) {
  const { used, dense, reused } = view.multiply_adds;
  const clip = view.newest_clip;
  const dropped = total(view.clips_dropped);
  return (
    <dl class="facts">
      <Description view={view} />
      {clip && (
        <>
          <dt>Newest clip</dt>
          <dd class="with-meter">
            <StepMeter clip={clip} />
            {clip.compute.kept_steps} of {clip.compute.input_steps} steps
          </dd>
          <dt>Scored after</dt>
          <dd>{duration(clip.compute.latency_ms.e2e)}</dd>
        </>
      )}
      {dense > 0 && (
        <>
          <dt>Saved</dt>
          <dd>
            <b class="saved">{percent(1 - used / dense)}</b> of {compact(dense)} multiply-adds
          </dd>
          {reused > 0 && (
            <>
              <dt>of it by reuse</dt>
              <dd>{compact(reused)}</dd>
            </>
          )}
        </>
      )}
      <dt>Clips scored</dt>
      <dd>{compact(view.clips)}</dd>
      <dt>Clips dropped</dt>
      <dd class={dropped > 0 ? 'bad-text' : ''}>{dropped === 0 ? 'none' : listed(view.clips_dropped)}</dd>
      <dt>Queue</dt>
      <dd>
        {view.queue.length} of {counted(view.queue.capacity, 'clip')}
      </dd>
      <dt>Reconnects</dt>
      <dd>{total(view.reconnects) === 0 ? 'none' : listed(view.reconnects)}</dd>
    </dl>
  );
}

/** What the settings say of the stream. */
function Description({ view: { site, location, tags } }: { readonly view: Stream }) {
  const lines = Object.entries({ Site: site, Place: location, Tags: tags?.join(', ') });
  return (
    <>
      {lines.map(
        ([title, text]) =>
          text !== undefined && (
            <Fragment key={title}>
              <dt>{title}</dt>
              <dd>{text}</dd>
            </Fragment>
          ),
      )}
    </>
  );
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${compact(count)} ${reason.replaceAll('_', ' ')}`)
    .join(', ');
}
