import type { HeadNode } from './graph.ts';
import type { Triple } from './stages.ts';

/** The box that the head averages on a map [t, h, w]; it slides by one over what is left. */
export function headWindow({ pooling }: Pick<HeadNode, 'pooling'>, [t, h, w]: Triple): Triple {
  switch (pooling) {
    case 'window':
      return [Math.min(2, t), Math.min(7, h), Math.min(7, w)];
    case 'space':
      return [Math.min(2, t), h, w];
    case 'whole':
      return [t, h, w];
  }
}
