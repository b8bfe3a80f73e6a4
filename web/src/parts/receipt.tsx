import type { ActionEvent } from '../../../src/client/index.ts';
import { compact, counted, percent } from '../words/format.ts';

/** What the episode cost, in words, and against the network without sampling. */
export function Receipt({ event }: { readonly event: ActionEvent }) {
  const { compute, clips } = event;
  const { kept_steps: kept, input_steps: all, multiply_adds: used, dense_multiply_adds: dense } = compute;
  const reused = compute.reused_steps ?? 0;
  return (
    <div class="receipt">
      <p class="big">
        <b class="saved">{percent(compute.saved_ratio)}</b> saved
      </p>
      <Bar used={used} dense={dense} />
      <p>
        {counted(clips, 'clip')} brought {counted(all, 'time step')} to the sampler. It kept{' '}
        <b>{compact(kept)}</b>, so the upper stage of the network ran for {percent(all > 0 ? kept / all : 0)}{' '}
        of them.
        {reused > 0 && ` ${counted(reused, 'step')} came from the clip before and cost nothing.`}
      </p>
      <p>
        That took <b>{compact(used)}</b> multiply-adds instead of {compact(dense)}.
      </p>
      <dl class="facts">
        <dt>Sampler</dt>
        <dd>
          {compute.sampler}
          {compute.delta !== undefined && `, δ ${compute.delta}`}
        </dd>
        <dt>Engine</dt>
        <dd>
          {compute.engine} on {compute.device}
        </dd>
        <Latency event={event} />
        {compute.audit_agreement !== undefined && (
          <>
            <dt>Agreement with dense</dt>
            <dd>{percent(compute.audit_agreement)}</dd>
          </>
        )}
      </dl>
    </div>
  );
}

function Bar({ used, dense }: { readonly used: number; readonly dense: number }) {
  return (
    <div class="share" role="img" aria-label={`${compact(used)} of ${compact(dense)} multiply-adds spent`}>
      <i style={{ width: `${dense > 0 ? (100 * used) / dense : 0}%` }} />
    </div>
  );
}

function Latency({ event }: { readonly event: ActionEvent }) {
  const { queue, lower, sampler, upper } = event.compute.latency_ms;
  const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  return (
    <>
      <dt>A clip, on average</dt>
      <dd>
        {ms(queue)} in the queue, {ms(lower)} lower stage, {ms(sampler)} sampler, {ms(upper)} upper stage
      </dd>
    </>
  );
}
