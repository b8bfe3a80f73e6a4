import type { PixelClip } from '../../engine.ts';
import type { InputEncoding } from '../../network/graph.ts';
import { zeros, type Tensor } from './tensor.ts';

type Pixels = Pick<PixelClip, 'frames' | 'height' | 'width' | 'data'>;

/**
 * uint8 rgb24 → what the first convolution sees, [frames, height, width, 3] (InputEncoding has the
 * formulas).
 */
export function encodePixels(clip: Pixels, encoding: InputEncoding): Tensor {
  const output = zeros(clip.frames, clip.height, clip.width, 3);
  const { data } = output;
  if (encoding.kind === 'rgb') {
    for (let i = 0; i < data.length; i++) {
      data[i] = (clip.data[i]! / 255 - encoding.mean[i % 3]!) / encoding.std[i % 3]!;
    }
    return output;
  }
  const pixelsPerFrame = clip.height * clip.width;
  const greyAt = (pixel: number): number => {
    const at = 3 * pixel;
    return (0.299 * clip.data[at]! + 0.587 * clip.data[at + 1]! + 0.114 * clip.data[at + 2]!) / 255;
  };
  for (let pixel = 0; pixel < clip.frames * pixelsPerFrame; pixel++) {
    const grey = greyAt(pixel);
    const before = pixel < pixelsPerFrame ? grey : greyAt(pixel - pixelsPerFrame);
    const change = (grey - before) / 0.25;
    data.set([(grey - 0.5) / 0.25, change, Math.abs(change)], 3 * pixel);
  }
  return output;
}
