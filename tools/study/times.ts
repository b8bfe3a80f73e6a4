import { median } from '../../src/core/median.ts';
import { Resources } from '../../src/core/resources.ts';
import { monotonicMs } from '../../src/core/time.ts';
import type { InferenceEngine } from '../../src/inference/engine.ts';
import type { Case } from './cases.ts';
import { openCase } from './predict.ts';
import { pixelsOf, type VideoWindows } from './windows.ts';

/** Median milliseconds a clip, over short clips and over windows of long videos. */
export interface CaseTime {
  readonly shortMs: number;
  readonly longMs: number;
}

const WINDOWS_EACH = 8;

/**
 * Measures each case on the same few windows, spread over the test videos, round by round,
 * so that a busy moment of the machine meets all of them; the median over rounds counts.
 */
export async function measureTimes(
  cases: readonly Case[],
  windows: readonly VideoWindows[],
  { rounds, threads }: { readonly rounds: number; readonly threads: number },
): Promise<readonly CaseTime[]> {
  const short = spread(windows.filter(({ video }) => video.task !== 'indoor'));
  const long = spread(windows.filter(({ video }) => video.task === 'indoor'));
  await using resources = new Resources();
  const engines: InferenceEngine[] = [];
  const open = new Map<string, InferenceEngine>();
  for (const one of cases) {
    const key = JSON.stringify([one.model, one.sgs]);
    const engine = open.get(key) ?? resources.add(await openCase(one, threads));
    open.set(key, engine);
    engines.push(engine);
  }
  const samples = cases.map((): { short: number[]; long: number[] } => ({ short: [], long: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, one] of cases.entries()) {
      samples[index]!.short.push(await timeOf(engines[index]!, one, short));
      samples[index]!.long.push(await timeOf(engines[index]!, one, long));
    }
  }
  return samples.map((sample) => ({ shortMs: median(sample.short), longMs: median(sample.long) }));
}

type Clips = readonly VideoWindows['clips'][number][];

function spread(windows: readonly VideoWindows[]): Clips {
  const all = windows.flatMap(({ clips }) => clips);
  const step = Math.max(1, all.length / WINDOWS_EACH);
  return Array.from({ length: Math.min(WINDOWS_EACH, all.length) }, (_, i) => all[Math.floor(i * step)]!);
}

async function timeOf(engine: InferenceEngine, { sampler, order }: Case, clips: Clips): Promise<number> {
  let total = 0;
  for (const clip of clips) {
    const pixels = pixelsOf(clip, order);
    const started = monotonicMs();
    await engine.infer(pixels, { sampler });
    total += monotonicMs() - started;
  }
  return total / clips.length;
}
