import type { ClipStats } from '../../../src/client/index.ts';

/** One cell a time step: those that the upper stage of the network processed are filled. */
export function StepMeter({ clip }: { readonly clip: ClipStats }) {
  const { kept_steps: kept, input_steps: all } = clip.compute;
  return (
    <div class="steps" role="img" aria-label={`${kept} of ${all} steps kept`}>
      {Array.from({ length: all }, (_, step) => (
        <i key={step} class={step < kept ? 'kept' : ''} />
      ))}
    </div>
  );
}

const WIDTH = 240;
const HEIGHT = 34;
const MOST = 60;

/** Kept steps of the newest clips, oldest left. Decoration of the figure beside it. */
export function Sparkline({ clips }: { readonly clips: readonly ClipStats[] }) {
  const shown = clips.slice(-MOST);
  const step = WIDTH / MOST;
  const bars = shown.map(({ compute }, index) => {
    const height = Math.max(1.5, (HEIGHT * compute.kept_steps) / Math.max(1, compute.input_steps));
    const x = (MOST - shown.length + index) * step;
    return `M${x.toFixed(1)} ${HEIGHT}h${(step - 1).toFixed(1)}v${(-height).toFixed(1)}h${(1 - step).toFixed(1)}z`;
  });
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={bars.join('')} />
    </svg>
  );
}
