import { ActionstreamError } from '../core/errors.ts';
import type { SamplerOptions } from '../sampler/types.ts';
import type { EngineInfo, InferRequest, PixelClip, StreamPlace } from './engine.ts';
import type { Network } from './network/graph.ts';

/**
 * The first thing done with a clip. Of one whose feature maps are kept no pixels are read.
 * @throws ActionstreamError INPUT_INVALID where the clip has not the network's frames and size, not
 * its bytes, or not the frames before it
 */
export function checkClip(
  { clip, maps }: Pick<InferRequest, 'clip' | 'maps'>,
  expected: Pick<EngineInfo, 'frames' | 'height' | 'width' | 'reuse'>,
): void {
  if (maps === 'kept') return;
  const found = [clip.frames, clip.height, clip.width, 3];
  const wanted = [expected.frames, expected.height, expected.width, 3];
  if (found.some((n, axis) => n !== wanted[axis])) {
    throw invalid(clip, `is [${found.join(', ')}], the network takes [${wanted.join(', ')}]`);
  }
  const bytes = wanted.reduce((product, n) => product * n, 1);
  if (clip.data.length !== bytes) {
    throw invalid(clip, `holds ${clip.data.length} bytes, [${wanted.join(', ')}] needs ${bytes}`);
  }
  if (clip.stream && expected.reuse) checkContext(clip, clip.stream, expected.reuse.contextFrames);
}

/**
 * A stream's clip goes on from what the one before left behind, so a batch holds one clip of a
 * stream at most.
 * @param streams those of the batch's earlier clips; the clip's own is added
 * @throws ActionstreamError INPUT_INVALID
 */
export function checkOnePerStream(clip: PixelClip, streams: Set<string>): void {
  const id = clip.stream?.id;
  if (id === undefined) return;
  if (streams.has(id)) throw invalid(clip, `another clip of stream ${id} is in the same batch`);
  streams.add(id);
}

/** @throws ActionstreamError SAMPLER_INVALID where the network has no SGS layer for a sampler that samples */
export function checkSampler(sampler: SamplerOptions, network: Network): void {
  if (sampler.kind === 'none' || network.nodes.some((node) => node.op === 'sgs')) return;
  throw new ActionstreamError(
    'SAMPLER_INVALID',
    `sampler ${sampler.kind}: ${network.name} has no SGS layer to sample at; place one with --sgs-after or the ` +
      "network's sgs.after, best after Conv_2b (later layers save less), or use sampler none",
  );
}

function checkContext(clip: PixelClip, { firstFrame, before }: StreamPlace, contextFrames: number): void {
  const expected = Math.min(firstFrame, contextFrames);
  const found = before.length / (clip.height * clip.width * 3);
  if (found === expected) return;
  throw invalid(
    clip,
    `comes with ${found} frames before it; at frame ${firstFrame} of its segment the network sees ${expected}`,
  );
}

function invalid(clip: PixelClip, problem: string): ActionstreamError {
  return new ActionstreamError('INPUT_INVALID', `clip ${clip.clipId}: ${problem}`);
}
