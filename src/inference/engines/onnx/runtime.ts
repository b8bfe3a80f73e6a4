import type * as OnnxRuntime from 'onnxruntime-node';
import { ActionstreamError, messageOf } from '../../../core/errors.ts';

export type Runtime = typeof OnnxRuntime;

/** @throws ActionstreamError ENGINE_UNAVAILABLE where it has no binary for this machine */
export async function loadRuntime(): Promise<Runtime> {
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    throw new ActionstreamError(
      'ENGINE_UNAVAILABLE',
      `onnxruntime-node cannot be loaded: ${messageOf(error)}; it has binaries for Linux and Windows on x64 and arm64 ` +
        'and for macOS on arm64; install with npm ci',
      { cause: error },
    );
  }
}
