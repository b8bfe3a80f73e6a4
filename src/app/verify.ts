import { ActionstreamError, type ErrorCode } from '../core/errors.ts';
import { verifyDelivery, type VerifyResult } from '../sink/verify.ts';
import type { TimeRange } from '../sink/verify/journal-view.ts';
import { askProcess } from './ask-process.ts';
import type { AppContext } from './context.ts';
import { storesOf, type Places } from './stores.ts';

export interface VerifyRequest {
  readonly env: AppContext['env'];
  readonly places: Places;
  readonly range: TimeRange;
}

/** What verify-entry.ts answers. */
export type VerifyReply =
  | { readonly result: VerifyResult }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

/** V8 lets garbage pile up while memory is plentiful; a small heap makes it collect. */
const HEAP = ['--max-semi-space-size=2', '--max-old-space-size=64'];
/** So long an interrupted process may take to leave the consumer group of its reader. */
const GRACE_MS = 4000;

/**
 * `events verify`: in a process with a small heap, or in this one where that heap cannot hold what it
 * needs.
 */
export async function verify(
  places: Places,
  range: TimeRange,
  { env, programs, signal }: AppContext,
): Promise<VerifyResult> {
  const request = { env, places, range };
  return (await verifyInSmallHeap(request, programs.verify, signal)) ?? (await verifyHere(request, signal));
}

/** Verifies in this process. */
export async function verifyHere(
  { env, places, range }: VerifyRequest,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const { kafka, postgres, journalDir } = storesOf(places, env);
  if (journalDir === undefined)
    throw new ActionstreamError('USAGE', 'name a configuration file or --journal');
  // A journal named by hand may have been put aside; the one of a configuration is in use.
  const isCurrent = places.journal === undefined;
  return verifyDelivery({
    ...{ journalDir, range, isCurrent, signal },
    ...(kafka && { kafka }),
    ...(postgres && { postgres }),
  });
}

/**
 * @returns undefined where a small heap could not hold what it needs
 * @throws what `verifyDelivery` throws; ABORTED
 */
async function verifyInSmallHeap(
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
