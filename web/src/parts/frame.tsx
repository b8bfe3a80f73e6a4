import { CameraOff, Film, LoaderCircle } from 'lucide-preact';
import { useRef } from 'preact/hooks';
import { useFrame } from '../live/frames.ts';
import type { LiveStream } from '../live/live-stream.ts';
import { now } from '../live/now.ts';
import { ago, moment } from '../words/format.ts';
import { reasonOf, stateOf } from '../words/states.ts';

/** The newest frame of a stream; of one that is not up, since when and why. */
export function Frame({ stream }: { readonly stream: LiveStream }) {
  const box = useRef<HTMLDivElement>(null);
  const address = useFrame(stream, box);
  const view = stream.view.value;
  const isTroubled =
    stateOf(view).mood === 'bad' || (stream.troubleSince.value !== undefined && view.state !== 'paused');
  return (
    <div ref={box} class={`frame${isTroubled ? ' dim' : ''}`}>
      {address !== undefined && <img src={address} alt={`Newest frame of ${stream.id}`} />}
      {address === undefined && !isTroubled && (
        <div class="no-frame">
          <Film aria-hidden="true" size={28} strokeWidth={1.4} />
          {view.state === 'ended'
            ? 'No frame'
            : view.newest_clip
              ? 'Loading the frame'
              : 'Waiting for the first clip'}
        </div>
      )}
      {isTroubled && <Trouble stream={stream} />}
    </div>
  );
}

function Trouble({ stream }: { readonly stream: LiveStream }) {
  const view = stream.view.value;
  const since = stream.troubleSince.value ?? view.since;
  const { what } = reasonOf(view);
  return (
    <div class="trouble">
      {stateOf(view).mood === 'bad' ? (
        <CameraOff aria-hidden="true" size={26} strokeWidth={1.6} />
      ) : (
        <LoaderCircle aria-hidden="true" size={26} strokeWidth={1.6} class="turns" />
      )}
      <strong>{what}</strong>
      {since !== undefined && (
        <span>
          since {moment(since)} · {ago(since, now.value).replace(' ago', '')}
        </span>
      )}
    </div>
  );
}
