import { EVERYWHERE, type Region } from '../core/region.ts';
import type { StreamOptions } from './types.ts';

/** Of a camera whose shape ffmpeg does not say: what most send. */
const USUAL_SHAPE = 16 / 9;

/**
 * The part of the frame that the network sees, as sampling-filter.ts cuts it out.
 * @param shape width over height as displayed; undefined where unknown
 */
export function viewOf(
  { width, height, fit, scale = 1 }: Pick<StreamOptions, 'width' | 'height' | 'fit' | 'scale'>,
  shape = USUAL_SHAPE,
): Region {
  if (fit === 'stretch') return middle(1 / scale, 1 / scale);
  const wide = shape / (width / height);
  return wide >= 1 ? middle(1 / (wide * scale), 1 / scale) : middle(1 / scale, wide / scale);
}

function middle(width: number, height: number): Region {
  if (width === 1 && height === 1) return EVERYWHERE;
  return { x: (1 - width) / 2, y: (1 - height) / 2, width, height };
}
