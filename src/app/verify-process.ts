import type { EventPlaces } from '../cli/event-services.ts';
import { ActionstreamError, type ErrorCode } from '../core/errors.ts';
import type { VerifyResult } from '../sink/verify.ts';
import type { TimeRange } from '../sink/verify/journal-view.ts';
import { askProcess } from './ask-process.ts';

export interface VerifyRequest {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly places: EventPlaces;
  readonly range: TimeRange;
}

/** What verify-entry.ts answers. */
export type VerifyReply =
  | { readonly result: VerifyResult }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

/** V8 lets garbage pile up while memory is plentiful; a small heap makes it collect. */
const HEAP = ['--max-semi-space-size=4', '--max-old-space-size=64'];
/** So long an interrupted process may take to leave the consumer group of its reader. */
const GRACE_MS = 4000;

/**
 * Verifies in a process with a small heap.
 * @returns undefined where that heap could not hold what it needs
 * @throws what `verifyDelivery` throws; ABORTED
 */
export async function verifyInSmallHeap(
  request: VerifyRequest,
  entryUrl: URL,
  signal: AbortSignal,
): Promise<VerifyResult | undefined> {
  const found = await askProcess<VerifyReply>(
    { entryUrl, execArgv: HEAP, request, graceMs: GRACE_MS },
    signal,
  );
  if (signal.aborted) throw new ActionstreamError('ABORTED', 'interrupted while records were compared');
  if ('ended' in found) return undefined;
  if ('result' in found.reply) return found.reply.result;
  const { code, message } = found.reply.error;
  throw new ActionstreamError(code, message);
}
