import type { InferenceSession } from 'onnxruntime-node';
import { ActionstreamError, messageOf } from '../../../core/errors.ts';
import { CPU_PROVIDER, explainRefusal, type OnnxProvider } from './providers.ts';
import type { Runtime } from './runtime.ts';

export interface SessionOptions {
  /** Intra-op threads; ONNX Runtime takes one a core where absent. */
  readonly threads?: number;
  /** Default: the CPU. */
  readonly provider?: OnnxProvider;
}

/** @throws ActionstreamError ENGINE_UNAVAILABLE where the runtime refuses the graph */
export async function openSession(
  runtime: Runtime,
  model: Uint8Array,
  { threads, provider = CPU_PROVIDER }: SessionOptions,
): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(model, {
      executionProviders: provider.executionProviders ?? [],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      // One planned block for each input shape cost half as much memory again and made the second
      // clip slow; no faster.
      enableMemPattern: false,
      // Each stage has its own threads, and those that have just run spin for tens of milliseconds:
      // on the other's cores. Those that wait within a run spin for a millisecond, so that more
      // threads than cores do not starve each other.
      extra: { session: { force_spinning_stop: '1', intra_op: { spin_duration_us: '1000' } } },
      logSeverityLevel: 3,
      ...(threads !== undefined && { intraOpNumThreads: threads }),
    });
  } catch (error) {
    const problem = `ONNX Runtime refuses the graph: ${explainRefusal(provider, messageOf(error))}`;
    throw new ActionstreamError('ENGINE_UNAVAILABLE', problem, { cause: error });
  }
}
