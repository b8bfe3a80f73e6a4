import { expect, it } from 'vitest';
import { shareCores } from '../../src/app/open-engines.ts';

const onnx = { kind: 'onnx' } as const;

it('one stream gets one engine with all cores, several get an engine a core', () => {
  expect(shareCores(onnx, 1, 4)).toEqual({ processes: 1 });
  expect(shareCores(onnx, 2, 4)).toEqual({ processes: 2, threads: 2 });
  expect(shareCores(onnx, 16, 4)).toEqual({ processes: 4, threads: 1 });
  expect(shareCores(onnx, 64, 96)).toEqual({ processes: 8, threads: 12 });
});

it('never leaves an engine without a thread, and takes settings as they are', () => {
  expect(shareCores({ ...onnx, processes: 4 }, 16, 2)).toEqual({ processes: 4, threads: 1 });
  expect(shareCores({ ...onnx, processes: 1, threads: 3 }, 16, 2)).toEqual({ processes: 1, threads: 3 });
  expect(shareCores({ ...onnx, threads: 2 }, 16, 2)).toEqual({ processes: 2, threads: 2 });
});

it('needs no second engine where cores do not compute', () => {
  expect(shareCores({ kind: 'onnx', provider: 'cuda' }, 16, 2)).toEqual({ processes: 1 });
  expect(shareCores({ kind: 'null' }, 16, 2)).toEqual({ processes: 1 });
});
